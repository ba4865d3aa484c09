import { SdkError, SdkErrorCode } from './errors.ts';

const ANSWER_LIMIT_BYTES = 1 << 20;
/** What a line is expected to carry, 2 Mbit/s: long bodies have longer. */
const SLOWEST_BYTES_PER_MS = 250;

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
 * @param options.timeoutMs for the answer, beside the time that the bytes themselves may take
 * @throws SdkError `BAD_ANSWER`; the cause says whether it was the URL, the connection or the size.
 */
export async function request(
  endpoint: string,
  path: string,
  options: {
    method?: 'GET' | 'PUT';
    body?: Uint8Array;
    timeoutMs: number;
    maxBytes?: number;
    stop?: Stop;
    signal?: AbortSignal | undefined;
  },
): Promise<HttpAnswer> {
  const maxBytes = options.maxBytes ?? ANSWER_LIMIT_BYTES;
  const { signal, body } = options;
  const transferMs = Math.ceil((maxBytes + (body?.length ?? 0)) / SLOWEST_BYTES_PER_MS);
  const timeout = AbortSignal.timeout(options.timeoutMs + transferMs);
  try {
    const response = await fetch(routeOf(endpoint, path), {
      method: options.method ?? 'GET',
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    });
    const stop = response.ok ? options.stop : undefined;
    return { status: response.status, ...(await bounded(response, maxBytes, endpoint, stop)) };
  } catch (cause) {
    if (cause instanceof SdkError) throw cause;
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: ${reasonOf(cause)}`, { cause });
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

function routeOf(endpoint: string, path: string): URL {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: not an http(s) endpoint`);
  return new URL(`${endpoint.replace(/\/+$/, '')}${path}`);
}

async function bounded(
  response: Response,
  maxBytes: number,
  endpoint: string,
  stop: Stop | undefined,
): Promise<Pick<HttpAnswer, 'body' | 'isStopped'>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
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
