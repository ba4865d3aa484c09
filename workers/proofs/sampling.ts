import { defaultKernels } from '../kernels/loader.ts';
import type { RandomBytes } from './randomness.ts';

// The distributions of docs/formats.md ("Expander") from random bytes. Results are secret.

/** Largest absolute value of `binomial`. */
export const binomialBound = 21;

const TERNARY_BYTES = 8;
const BINOMIAL_BYTES = 6;

/** `length` coefficients from -1 to 1, their bias below 2^-62. */
export function ternary(length: number, randomBytes: RandomBytes): Int8Array {
  return sample('ternary', TERNARY_BYTES, length, randomBytes);
}

/** `length` coefficients of the centred binomial distribution with η = 21, as SEAL's errors. */
export function binomial(length: number, randomBytes: RandomBytes): Int8Array {
  return sample('binomial', BINOMIAL_BYTES, length, randomBytes);
}

/** `length` coefficients uniform in [-2^bits, 2^bits), for up to 30 bits. */
export function uniform(length: number, bits: number, randomBytes: RandomBytes): Int32Array {
  const bound = 2 ** bits;
  const bytes = randomBytes(4 * length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const out = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    out[i] = (view.getUint32(4 * i, true) & (2 * bound - 1)) - bound;
  }
  return out;
}

function sample(
  kind: 'ternary' | 'binomial',
  bytesEach: number,
  length: number,
  randomBytes: RandomBytes,
): Int8Array {
  const { arena, integer } = defaultKernels();
  const mark = arena.mark();
  try {
    // `binomial` reads two bytes past the end.
    const source = arena.scratch(bytesEach * length + 2);
    arena.bytes(source, bytesEach * length).set(randomBytes(bytesEach * length));
    const target = arena.scratch(8 * length);
    integer[kind](target, source, length);
    const bytes = arena.bytes(target, 8 * length);
    const out = new Int8Array(length);
    for (let i = 0; i < length; i++) out[i] = bytes[8 * i];
    return out;
  } finally {
    arena.release(mark);
  }
}
