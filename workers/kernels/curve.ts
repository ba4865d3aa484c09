import { readModule } from './loader.ts';

/**
 * What the curve module exports. Addresses point into its own memory, points and scalars are bytes as
 * in docs/curve.md, `n` counts them. Nothing here checks or throws.
 */
interface CurveModule {
  allocate(this: void, bytes: number): number;
  mark(this: void): number;
  release(this: void, since: number): void;
  multiplyScalars(this: void, dst: number, a: number, b: number): void;
  reduceScalar(this: void, dst: number, low: number, high: number): void;
  powers(this: void, dst: number, first: number, ratio: number, skip: number, n: number): void;
  toEvm(this: void, dst: number, src: number, n: number, swap: number): void;
  fromEvm(this: void, dst: number, src: number, n: number, swap: number): number;
  scaleG1(this: void, dst: number, src: number, scalars: number, n: number): void;
  scaleG2(this: void, dst: number, src: number, scalars: number, n: number): void;
  sumG1(this: void, dst: number, src: number, coefficients: number, n: number): void;
  sumG2(this: void, dst: number, src: number, coefficients: number, n: number): void;
  firstInvalidG1(this: void, src: number, n: number): number;
  firstInvalidG2(this: void, src: number, n: number): number;
  loadScalars(this: void, dst: number, bytes: number, n: number): void;
  storeScalars(this: void, bytes: number, src: number, n: number): void;
  loadIntegers(this: void, dst: number, src: number, n: number): void;
  loadConstant(this: void, dst: number, bytes: number): void;
  multiplyVectors(this: void, x: number, y: number, n: number): void;
  addVectors(this: void, x: number, y: number, n: number): void;
  addScaledVector(this: void, x: number, y: number, c: number, n: number): void;
  addScaledIntegers(this: void, x: number, y: number, c: number, n: number): void;
  recur(this: void, g: number, start: number, ratio: number, n: number): void;
  invertVector(this: void, x: number, n: number): void;
  rootPowers(this: void, dst: number, root: number, n: number): void;
  forwardScalars(this: void, x: number, powers: number, n: number): void;
  inverseScalars(this: void, x: number, powers: number, scale: number, n: number): void;
  multiplyElements(this: void, x: number, n: number): void;
  fuses(this: void): number;
}

/** The curve module in a memory of its own. */
export class CurveKernel {
  readonly module: CurveModule;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });

  constructor(module: BufferSource) {
    const imports = { env: { memory: this.#memory } };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module), imports);
    this.module = instance.exports as unknown as CurveModule;
  }

  /** A block with a copy of the bytes; `room` for more than these. */
  copyIn(bytes: Uint8Array, room = bytes.length): number {
    const address = this.module.allocate(room);
    this.write(address, bytes);
    return address;
  }

  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer).set(bytes, address);
  }

  copyOut(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer).slice(address, address + length);
  }

  /** Runs `work`, then gives back and wipes every block allocated meanwhile. */
  run<T>(work: (module: CurveModule) => T): T {
    const since = this.module.mark();
    try {
      return work(this.module);
    } finally {
      this.module.release(since);
    }
  }
}

let loaded: CurveKernel | undefined;

/**
 * The curve kernel of this thread: the fast build where the engine fuses its multiply-add, else the
 * portable one, which gives the same results.
 *
 * @throws KernelError NOT_BUILT
 */
export function defaultCurveKernel(): CurveKernel {
  return (loaded ??= fusing(readModule('curve-fast')) ?? new CurveKernel(readModule('curve')));
}

function fusing(module: BufferSource): CurveKernel | undefined {
  if (!WebAssembly.validate(module)) return undefined;
  const kernel = new CurveKernel(module);
  return kernel.module.fuses() === 1 ? kernel : undefined;
}
