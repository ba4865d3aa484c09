import { KernelError, KernelErrorCode } from './errors.ts';
import { Arena } from './memory.ts';

/**
 * What both modules export. Addresses point into the shared linear memory, `n` counts residues,
 * `m` is a modulus record and `c` points at encoded constants (field.ts). "Resident" is the
 * module's own form of a residue, "canonical" a u64 below the prime. Nothing here checks or throws.
 */
export interface KernelPath {
  toResident(dst: number, src: number, n: number, m: number): void;
  toCanonical(dst: number, src: number, n: number, m: number): void;
  storeSum(dst: number, x: number, c: number, n: number, m: number): void;
  forward(x: number, n: number, table: number, m: number, lazy: number): void;
  inverse(x: number, n: number, table: number, m: number, lazy: number): void;
  multiply(x: number, b: number, n: number, m: number): void;
  reduce(acc: number, n: number, m: number): void;
  addScaled(acc: number, x: number, n: number, c: number, m: number): void;
  addSmall(acc: number, x: number, n: number, c: number, m: number): void;
  addWords(
    acc: number,
    bytes: number,
    n: number,
    words: number,
    mask: number,
    c: number,
    m: number,
  ): void;
  ternary(dst: number, bytes: number, n: number): void;
  binomial(dst: number, bytes: number, n: number): void;
  divide(dst: number, x: number, last: number, n: number, half: bigint, c: number, m: number): void;
  innerProduct(dst: number, a: number, s: number, n: number, position: number, m: number): void;
}

/** What the integer module offers besides, for both paths. */
export interface IntegerModule extends KernelPath {
  isCanonical(x: number, n: number, p: bigint): number;
  add(dst: number, a: number, b: number, n: number, p: bigint): void;
  subtract(dst: number, a: number, b: number, n: number, p: bigint): void;
  addFraction(
    whole: number,
    fraction: number,
    x: number,
    n: number,
    c: number,
    t: bigint,
    ratio: bigint,
    p: bigint,
  ): void;
  round(
    whole: number,
    fraction: number,
    n: number,
    t: bigint,
    margin: number,
    uncertain: number,
  ): number;
  pack(dst: number, src: number, n: number, bits: bigint): number;
  unpack(dst: number, src: number, n: number, bits: bigint): void;
}

/** The modules over one linear memory; `fast` only where the engine fuses its multiply-add. */
export interface Kernels {
  readonly arena: Arena;
  readonly integer: IntegerModule;
  readonly fast: KernelPath | undefined;
}

/**
 * Instantiates the kernels. The fast module is left out if it does not compile (an engine without
 * relaxed SIMD) or if the engine's multiply-add rounds twice, which relaxed SIMD permits.
 */
export function instantiateKernels(integer: BufferSource, fast: BufferSource): Kernels {
  const arena = new Arena();
  const imports = { env: { memory: arena.memory } };
  const instantiate = (bytes: BufferSource) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as unknown;
  return {
    arena,
    integer: instantiate(integer) as IntegerModule,
    fast: WebAssembly.validate(fast) ? fusing(instantiate(fast) as FastModule) : undefined,
  };
}

interface FastModule extends KernelPath {
  productLow(a: number, b: number): number;
}

/** (2^27+1)² has 55 bits, the lowest set: unfused arithmetic finds 0 for the part it loses. */
function fusing(module: FastModule): KernelPath | undefined {
  return module.productLow(2 ** 27 + 1, 2 ** 27 + 1) === 1 ? module : undefined;
}

let loaded: Kernels | undefined;

/**
 * The kernels of this process: those that were provided, else from the compiled modules in `build/`.
 *
 * @throws KernelError NOT_BUILT
 */
export function defaultKernels(): Kernels {
  return (loaded ??= instantiateKernels(readModule('integer'), readModule('fast')));
}

/** Sets what `defaultKernels` returns, where there are no files: before anything is computed. */
export function provideKernels(kernels: Kernels): void {
  loaded = kernels;
}

/**
 * The bytes of a compiled module, in Node.
 *
 * @param folder where it is; with a slash at the end
 * @throws KernelError NOT_BUILT, in a browser always
 */
export function readModule(
  name: 'integer' | 'fast' | 'curve' | 'curve-fast',
  folder = new URL('build/', import.meta.url),
): Uint8Array<ArrayBuffer> {
  try {
    // Not imported, so that bundles for browsers have nothing of Node's.
    const { readFileSync } = globalThis.process.getBuiltinModule('node:fs');
    return readFileSync(new URL(`${name}.wasm`, folder));
  } catch (cause) {
    throw new KernelError(
      KernelErrorCode.NOT_BUILT,
      'the arithmetic kernels are not compiled: run `npm run build`',
      { metadata: { module: name }, cause },
    );
  }
}
