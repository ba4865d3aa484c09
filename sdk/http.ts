import { SdkError, SdkErrorCode } from './errors.ts';

const ANSWER_LIMIT_BYTES = 1 << 20;
/** What a line is expected to carry, 2 Mbit/s: long uploads have longer. */
const SLOWEST_BYTES_PER_MS = 250;
/** That an answer has begun is progress, and so is each such part of it. Single bytes are none. */
const PROGRESS_BYTES = 512 << 10;

export interface HttpAnswer {
  status: number;
  body: Uint8Array;
  /** Whether the rest of the body was not read, because its start was enough. */
  isStopped: boolean;
}

/** Looks at the first bytes of an answer and may do without the rest. */
export interface Stop {
  after: number;
  when(start: Uint8Array): boolean;
}

/**
 * One request to an operator. Endpoints are text that strangers registered on chain: only http(s)
 * is spoken, redirects are not followed, and a longer answer than `maxBytes` is cut off.
 * @param options.timeoutMs how long without progress, beside the time that an upload itself may take
 * @throws SdkError `BAD_ANSWER`; the cause says whether it was the URL, the connection or the size.
 */
export async function request(
  endpoint: string,
  path: string,
  options: {
    method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
    body?: Uint8Array;
    timeoutMs: number;
    maxBytes?: number;
    stop?: Stop;
    signal?: AbortSignal | undefined;
    onProgress?: (() => void) | undefined;
  },
): Promise<HttpAnswer> {
  const { signal, body, timeoutMs, maxBytes = ANSWER_LIMIT_BYTES } = options;
  const stalled = new AbortController();
  const giveUp = (): void => stalled.abort(new DOMException('no progress', 'TimeoutError'));
  const transferMs = Math.ceil((body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
  let timer = setTimeout(giveUp, timeoutMs + transferMs);
  const advance = (): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, timeoutMs);
    options.onProgress?.();
  };
  try {
    const response = await fetch(routeOf(endpoint, path), {
      method: options.method ?? 'GET',
      redirect: 'error',
      signal: signal === undefined ? stalled.signal : AbortSignal.any([stalled.signal, signal]),
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    advance();
    const stop = response.ok ? options.stop : undefined;
    const read = await bounded(response, { maxBytes, endpoint, stop, advance });
    return { status: response.status, ...read };
  } catch (cause) {
    if (cause instanceof SdkError) throw cause;
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: ${reasonOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The answer's body as JSON. @throws SdkError `BAD_ANSWER` */
export function jsonOf(answer: HttpAnswer, endpoint: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(answer.body)) as unknown;
  } catch (cause) {
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: the answer is not JSON`, {
      cause,
    });
  }
}

/** What an operator says of why it refuses: a code and a sentence. */
export function refusalIn({ body }: HttpAnswer): { code: string; message: string } | undefined {
  try {
    const said = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown> | null;
    const { code, message } = said ?? {};
    return typeof code === 'string' ? { code, message: String(message) } : undefined;
  } catch {
    return undefined;
  }
}

function routeOf(endpoint: string, path: string): URL {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: not an http(s) endpoint`);
  return new URL(`${endpoint.replace(/\/+$/, '')}${path}`);
}

async function bounded(
  response: Response,
  options: { maxBytes: number; endpoint: string; stop: Stop | undefined; advance: () => void },
): Promise<Pick<HttpAnswer, 'body' | 'isStopped'>> {
  const { maxBytes, endpoint, stop, advance } = options;
  const chunks: Uint8Array[] = [];
  let length = 0;
  let advancedAt = 0;
  let undecided = stop;
  // Not every browser can iterate over a stream.
  const reader = response.body?.getReader();
  for (;;) {
    const chunk = (await reader?.read())?.value;
    if (chunk === undefined) return { body: joined(chunks, length), isStopped: false };
    length += chunk.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw new SdkError(
        SdkErrorCode.BAD_ANSWER,
        `${endpoint}: the answer is longer than ${maxBytes} bytes`,
        { metadata: { maxBytes } },
      );
    }
    chunks.push(chunk);
    if (length - advancedAt >= PROGRESS_BYTES) {
      advancedAt = length;
      advance();
    }
    if (undecided === undefined || length < undecided.after) continue;
    const body = joined(chunks, length);
    if (undecided.when(body.subarray(0, undecided.after))) {
      await reader?.cancel();
      return { body, isStopped: true };
    }
    undecided = undefined;
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return 'no answer in time';
  const inner = cause.cause as { code?: string; message?: string } | undefined;
  return inner?.code ?? inner?.message ?? cause.message;
}
