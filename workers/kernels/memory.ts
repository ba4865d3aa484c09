import { KernelError, KernelErrorCode } from './errors.ts';

const PAGE = 65_536;
const MAX_PAGES = 65_536;
/** Kernels work on pairs of lanes and may read up to 16 bytes past the end of a block. */
const PADDING = 16;

/**
 * The linear memory that both kernel modules share.
 *
 * Long-lived blocks (tables, accumulators) and scratch blocks come from one bump pointer. Scratch
 * lives between `mark` and `release`; long-lived blocks are allocated only while no scratch is
 * live, so releasing scratch never frees one. Views go stale when memory grows: take a new one for
 * each access.
 */
export class Arena {
  readonly memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES });
  #top = PADDING;
  #scopes = 0;
  readonly #free = new Map<number, number[]>();

  /** Starts a scope of scratch blocks. Pass the result to `release`. */
  mark(): number {
    this.#scopes++;
    return this.#top;
  }

  /** Ends the scope that `mark` started, with all its blocks. */
  release(mark: number): void {
    this.#scopes--;
    this.#top = mark;
  }

  /** A block of scratch memory, 16-byte aligned, not cleared. */
  scratch(bytes: number): number {
    const address = this.#top;
    const top = address + roundUp(bytes + PADDING);
    if (top > this.memory.buffer.byteLength) this.#grow(top);
    this.#top = top;
    return address;
  }

  /** A long-lived block, zeroed. */
  allocate(bytes: number): number {
    if (this.#scopes > 0) {
      throw new KernelError(
        KernelErrorCode.SCRATCH_LIVE,
        'long-lived blocks cannot be allocated while scratch is live',
      );
    }
    const address = this.#free.get(bytes)?.pop() ?? this.scratch(bytes);
    new Uint8Array(this.memory.buffer, address, roundUp(bytes + PADDING)).fill(0);
    return address;
  }

  /** Gives a block of `allocate` back. */
  free(address: number, bytes: number): void {
    const blocks = this.#free.get(bytes);
    if (blocks === undefined) this.#free.set(bytes, [address]);
    else blocks.push(address);
  }

  u64(address: number, length: number): BigUint64Array {
    return new BigUint64Array(this.memory.buffer, address, length);
  }

  f64(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  #grow(top: number): void {
    const size = this.memory.buffer.byteLength;
    // Doubling keeps the number of growths, each of which detaches all views, logarithmic.
    const wanted = Math.max(top, Math.min(2 * size, MAX_PAGES * PAGE));
    try {
      this.memory.grow(Math.ceil((wanted - size) / PAGE));
    } catch (cause) {
      throw new KernelError(KernelErrorCode.OUT_OF_MEMORY, 'linear memory cannot grow further', {
        metadata: { bytes: top },
        cause,
      });
    }
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
