/** One step of something that takes a while, as told to whoever waits for it. */
export interface Progress {
  /** Machine-readable name of the state that was reached. */
  phase: string;
  /** The same for a person. */
  text: string;
  elapsedMs: number;
}

export type OnProgress = (progress: Progress) => void;

export interface WaitOptions {
  /** How long to wait at most before giving up with `WAIT_TIMED_OUT`. */
  timeoutMs: number;
  /** How often the chain is asked. */
  pollMs?: number;
  /** Give up with `TOO_FEW_OPERATORS` as soon as too few operators answer for a while. */
  failFast?: boolean;
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** A reporter that passes a state on only when its text differs from the previous one. */
export function progressReporter(
  onProgress: OnProgress | undefined,
): (phase: string, text: string) => void {
  const start = performance.now();
  let previous: string | undefined;
  return (phase, text) => {
    if (text === previous) return;
    previous = text;
    onProgress?.({ phase, text, elapsedMs: Math.round(performance.now() - start) });
  };
}
