import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { unlessAborted } from '../waiting.ts';

/** How many bytes of bodies are in memory at once: of all, and of one address. */
export interface BodyLimits {
  readonly totalBytes: number;
  readonly bytesPerAddress: number;
  /** Longest time for a body to arrive. */
  readonly arrivalMs: number;
}

export const defaultBodyLimits: BodyLimits = {
  totalBytes: 128 << 20,
  bytesPerAddress: 32 << 20,
  arrivalMs: 60_000,
};

/**
 * The address that limits hold for: of IPv6 the first 64 bits, since whoever has one such address has all
 * that begin like it.
 */
export function askerOf(remoteAddress = ''): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress);
  if (mapped !== null) return mapped[1];
  if (!isIPv6(remoteAddress)) return remoteAddress;
  const [head, tail] = remoteAddress.split('::');
  const groups = head === '' ? [] : head.split(':');
  // What `::` stands for is zero; only the first four groups count.
  if (tail !== undefined) while (groups.length < 8 - tail.split(':').length) groups.push('0');
  return groups.slice(0, 4).join(':');
}

/** Reads a body of at most `limit` bytes; stops reading at the first byte too many. */
async function readBody(
  request: IncomingMessage,
  limit: number,
  onBytes: (count: number) => void = () => undefined,
): Promise<Uint8Array> {
  const tooLong = (): OperatorError =>
    new OperatorError(OperatorErrorCode.BLOB_TOO_LONG, `an upload has at most ${limit} bytes`, {
      metadata: { limit },
    });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLong();
    onBytes(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooSlow = (): OperatorError =>
  new OperatorError(OperatorErrorCode.UPLOAD_TOO_SLOW, 'the body did not arrive in time');

/** Bodies of uploads and registrations, which are kept in memory while they are worked on. */
export class Bodies {
  readonly #limits: BodyLimits;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(limits: BodyLimits = defaultBodyLimits) {
    this.#limits = limits;
  }

  /**
   * Reads a body and works on it. A body counts from its first byte until that is done.
   *
   * @throws OperatorError TOO_MANY_REQUESTS for an address that has its share, OPERATOR_BUSY,
   * UPLOAD_TOO_SLOW, BLOB_TOO_LONG; what `work` throws
   */
  async hold<T>(
    request: IncomingMessage,
    asker: string,
    limit: number,
    work: (body: Uint8Array) => Promise<T>,
  ): Promise<T> {
    let held = 0;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooSlow()), this.#limits.arrivalMs);
    try {
      const reading = readBody(request, limit, (count) => {
        late.signal.throwIfAborted();
        this.#take(asker, count);
        held += count;
      });
      const body = await unlessAborted(reading, late.signal);
      clearTimeout(timer);
      return await work(body);
    } finally {
      clearTimeout(timer);
      this.#give(asker, held);
    }
  }

  #take(asker: string, count: number): void {
    const own = (this.#held.get(asker) ?? 0) + count;
    if (own > this.#limits.bytesPerAddress)
      throw new OperatorError(
        OperatorErrorCode.TOO_MANY_REQUESTS,
        'this address has as much on the way as one may have',
      );
    if (this.#total + count > this.#limits.totalBytes)
      throw new OperatorError(
        OperatorErrorCode.OPERATOR_BUSY,
        'this operator has as much to verify as it takes on',
      );
    this.#held.set(asker, own);
    this.#total += count;
  }

  #give(asker: string, count: number): void {
    const left = (this.#held.get(asker) ?? 0) - count;
    if (left > 0) this.#held.set(asker, left);
    else this.#held.delete(asker);
    this.#total -= count;
  }
}
