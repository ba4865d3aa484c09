import { isNetError, NetErrorCode } from '../errors.ts';
import type { Host } from '../host/index.ts';
import { transferTimeoutMs } from '../limits.ts';
import { Scope } from '../scope.ts';
import { AnswerReader, questionFrame } from './frames.ts';
import { receive, send } from './stream.ts';

export interface AskOptions {
  /** Withdraws the question; the peer's provider is told. */
  readonly signal: AbortSignal;
  /** Longest body that an answer to this question can have. */
  readonly maxBytes: number;
  /** Sees the body as it arrives, before it is known to be complete. */
  readonly onChunk?: (chunk: Uint8Array) => void;
}

/**
 * Puts one question to one peer, once, and returns the body of its answer.
 *
 * The peer may hold the question open until it has an answer. Throws a NetError whose `verdict` says
 * what to make of the peer; nothing of a failed answer is kept.
 */
export async function ask(
  host: Host,
  peerId: string,
  protocol: string,
  question: Uint8Array,
  { signal, maxBytes, onChunk }: AskOptions,
): Promise<Uint8Array> {
  const { limits, traffic } = host;
  const scope = new Scope(signal, host.signal);
  try {
    const stream = await host.openStream(peerId, protocol, scope.signal);
    try {
      const reader = new AnswerReader(maxBytes, onChunk);
      let begun = false;
      const answered = receive(
        stream,
        (chunk) => {
          reader.push(chunk);
          if (begun) return scope.extend('idle');
          begun = true;
          scope.lift('answer');
          scope.limit('idle', limits.idleTimeoutMs);
          scope.limit('transfer', transferTimeoutMs(limits, maxBytes));
        },
        scope,
        traffic,
      );
      scope.limit('answer', limits.answerTimeoutMs);
      await Promise.all([send(stream, [questionFrame(question)], scope, traffic), answered]);
      return reader.end();
    } catch (error) {
      stream.abort(error as Error);
      throw error;
    }
  } finally {
    scope.dispose();
  }
}

/** Failures after which the same question to the same peer may yet be answered. */
const passing: ReadonlySet<NetErrorCode> = new Set<NetErrorCode>([
  NetErrorCode.peerUnreachable,
  NetErrorCode.protocolUnsupported,
  NetErrorCode.timedOut,
  NetErrorCode.streamEnded,
  NetErrorCode.notYet,
  NetErrorCode.peerBusy,
  NetErrorCode.peerFailed,
]);

/**
 * Repeats `attempt` until it succeeds, over lost connections, restarts of the peer and answers that
 * do not exist yet.
 *
 * Waits double up to a limit and end early when the peer connects. A "not yet" after a long hold is
 * asked again at once, since the hold was the wait; one that came quickly is a failure like others.
 * Throws what `attempt` throws for good, or the reason of `signal`.
 */
export async function untilAnswered<T>(
  host: Host,
  peerId: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const { backoffMs, maxBackoffMs } = host.limits;
  for (let failures = 0; ;) {
    const start = performance.now();
    try {
      return await attempt();
    } catch (error) {
      if (!isNetError(error) || !passing.has(error.code)) throw error;
      const held = performance.now() - start >= maxBackoffMs;
      if (error.code === NetErrorCode.notYet && held) {
        failures = 0;
        continue;
      }
    }
    await host.waitForPeer(peerId, Math.min(maxBackoffMs, backoffMs * 2 ** failures), signal);
    failures += 1;
  }
}

/** Puts a question to a peer until it answers, refuses or breaks the protocol; see `untilAnswered`. */
export async function askUntilAnswered(
  host: Host,
  peerId: string,
  protocol: string,
  question: Uint8Array,
  options: Omit<AskOptions, 'onChunk'>,
): Promise<Uint8Array> {
  return untilAnswered(host, peerId, options.signal, () =>
    ask(host, peerId, protocol, question, options),
  );
}
