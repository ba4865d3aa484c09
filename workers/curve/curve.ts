import { availableParallelism } from 'node:os';
import { addTwo, halvesOf, highFactor } from './combination.ts';
import { CurveError, CurveErrorCode } from './errors.ts';
import { countPoints, type Group, pointBytes } from './points.ts';
import { Pool } from './pool.ts';
import { checkScalar, one, SCALAR_BYTES, wipe } from './scalars.ts';

/** Points per task: enough to share one inversion among many, little enough to stop soon. */
const CHUNK = 2 ** 12;
/** Bucket sums cost less per point the more points share the buckets. */
const SUM_CHUNK = 2 ** 16;
const COEFFICIENT_BYTES = 16;

export interface ScaleOptions {
  /** Told how many points are done, after each chunk. */
  readonly onProgress?: (done: number) => void;
  /** Stops after the chunks that are running; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Arithmetic in the groups of BN254 on threads of its own: the caller's event loop is never blocked.
 *
 * Points are bytes as in a `.ptau` file: affine, coordinates times 2^256 modulo p, little-endian, all
 * zero for infinity. Scalars are 32 bytes, little-endian, below the group order. See docs/curve.md.
 */
export class Curve {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Starts `threads` threads, by default one per processor. */
  static async start(options: { threads?: number } = {}): Promise<Curve> {
    return new Curve(await Pool.start(options.threads ?? availableParallelism()));
  }

  /**
   * The k-th point times first·ratio^k, in order. Points must be valid (`firstInvalid`) or infinity.
   *
   * `first` and `ratio` may be secret: they stay in shared memory and in the threads' linear memory,
   * both wiped when the promise settles. What the engine copies on its own (registers, spilled
   * values, pages swapped out) cannot be wiped from JavaScript, and running times are not claimed
   * to be independent of the scalars.
   *
   * @throws CurveError LENGTH, SCALAR_OUT_OF_RANGE, THREAD_DIED, CLOSED; the reason of the signal
   */
  async scaleByPowers(
    group: Group,
    points: Uint8Array,
    first: Uint8Array,
    ratio: Uint8Array,
    options: ScaleOptions = {},
  ): Promise<Uint8Array> {
    const count = countPoints(group, points);
    checkScalar(first);
    checkScalar(ratio);
    const size = pointBytes[group];
    const scalars = new Uint8Array(new SharedArrayBuffer(2 * SCALAR_BYTES));
    scalars.set(first);
    scalars.set(ratio, SCALAR_BYTES);
    const result = new Uint8Array(count * size);
    let done = 0;
    try {
      await this.#inChunks(
        count,
        this.#chunkOf(count, CHUNK),
        options.signal,
        async (start, end) => {
          const chunk = copyOf(points, start * size, end * size);
          const answer = await this.#pool.run(
            { kind: 'scale', group, points: chunk, scalars, skip: start },
            [chunk.buffer],
          );
          result.set(answer as Uint8Array, start * size);
          done += end - start;
          options.onProgress?.(done);
        },
      );
    } finally {
      wipe(scalars);
    }
    return result;
  }

  /** One point times a scalar, which may be secret (see scaleByPowers). Errors as there. */
  async multiply(group: Group, point: Uint8Array, scalar: Uint8Array): Promise<Uint8Array> {
    return this.scaleByPowers(group, point, scalar, one());
  }

  /**
   * The sum of all points, each times its coefficient: 16 bytes, little-endian, public. Points must
   * be valid or infinity.
   *
   * @throws CurveError LENGTH, THREAD_DIED, CLOSED
   */
  async sums(group: Group, points: Uint8Array, coefficients: Uint8Array): Promise<Uint8Array> {
    const count = countPoints(group, points);
    if (coefficients.length !== count * COEFFICIENT_BYTES) {
      throw new CurveError(CurveErrorCode.LENGTH, 'there must be one coefficient per point', {
        metadata: { points: count, bytes: coefficients.length },
      });
    }
    const size = pointBytes[group];
    const chunk = this.#chunkOf(count, SUM_CHUNK);
    const partial = new Uint8Array(Math.ceil(count / chunk) * size);
    await this.#inChunks(count, chunk, undefined, async (start, end) => {
      const answer = await this.#sum(
        group,
        copyOf(points, start * size, end * size),
        copyOf(coefficients, start * COEFFICIENT_BYTES, end * COEFFICIENT_BYTES),
      );
      partial.set(answer, (start / chunk) * size);
    });
    const ones = new Uint8Array((partial.length / size) * COEFFICIENT_BYTES);
    for (let i = 0; i < ones.length; i += COEFFICIENT_BYTES) ones[i] = 1;
    return this.#sum(group, partial, ones);
  }

  /**
   * The sum of all points, each times its scalar. Points must be valid or infinity. Scalars may be
   * secret as far as those of `scaleByPowers` may, but are not in shared memory.
   *
   * @throws CurveError LENGTH, THREAD_DIED, CLOSED
   */
  async combination(group: Group, points: Uint8Array, scalars: Uint8Array): Promise<Uint8Array> {
    const { low, high } = halvesOf(scalars);
    try {
      const [lowSum, highSum] = await Promise.all(
        [low, high].map((coefficients) => this.sums(group, points, coefficients)),
      );
      return addTwo(group, lowSum, await this.multiply(group, highSum, highFactor));
    } finally {
      wipe(low);
      wipe(high);
    }
  }

  /**
   * The position of the first point that is not canonical, infinity, not on the curve or, in g2, not
   * in the subgroup; undefined if all are valid.
   *
   * @throws CurveError LENGTH, THREAD_DIED, CLOSED
   */
  async firstInvalid(group: Group, points: Uint8Array): Promise<number | undefined> {
    const count = countPoints(group, points);
    const size = pointBytes[group];
    let first: number | undefined;
    await this.#inChunks(count, this.#chunkOf(count, CHUNK), undefined, async (start, end) => {
      if (first !== undefined && first < start) return;
      const chunk = copyOf(points, start * size, end * size);
      const answer = (await this.#pool.run({ kind: 'validate', group, points: chunk }, [
        chunk.buffer,
      ])) as number;
      if (answer >= 0) first = Math.min(first ?? count, start + answer);
    });
    return first;
  }

  /** Ends the threads; work that is not done rejects with CurveError CLOSED. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #sum(
    group: Group,
    points: Uint8Array<ArrayBuffer>,
    coefficients: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array> {
    const task = { kind: 'sum', group, points, coefficients } as const;
    const answer = await this.#pool.run(task, [points.buffer, coefficients.buffer]);
    return answer as Uint8Array;
  }

  /** Points per task: an even share, within the limit. */
  #chunkOf(count: number, limit: number): number {
    return Math.max(1, Math.min(limit, Math.ceil(count / this.#pool.threads)));
  }

  /** Cuts 0..count into chunks and keeps every thread busy with one, in order. */
  async #inChunks(
    count: number,
    chunk: number,
    signal: AbortSignal | undefined,
    work: (start: number, end: number) => Promise<void>,
  ): Promise<void> {
    let next = 0;
    let stopped = false;
    const runner = async () => {
      while (next < count && !stopped) {
        signal?.throwIfAborted();
        const start = next;
        next = Math.min(start + chunk, count);
        try {
          await work(start, next);
        } catch (error) {
          stopped = true;
          throw error;
        }
      }
    };
    const runs = await Promise.allSettled(Array.from({ length: this.#pool.threads }, runner));
    for (const run of runs) if (run.status === 'rejected') throw run.reason;
  }
}

/** A copy that can be given away to a thread. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}
