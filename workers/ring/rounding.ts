import { modInverse } from '../kernels/numbers.ts';
import { requireLength, type Basis, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

/** Bounds the error of a sum of fractions t·y/p; see docs/arithmetic.md, "Scale and round". */
const MARGIN = 2 ** -40;
const MAX_LIMBS = 16;

/**
 * round(t·x/q) mod t for each coefficient, exactly: the last step of BFV decryption. q is odd, so
 * no quotient lies halfway between two integers.
 *
 * @param basis of at most 16 primes
 * @param plainModulus t in [2, 2^32], a prime or not, below every prime
 * @param x coefficient form, at some coefficients or all; public (it is an opened value)
 * @param width residues of x per prime
 * @returns so many coefficients in [0, t)
 * @throws RingError LENGTH_MISMATCH, LIMBS_OUT_OF_RANGE, SCALAR_OUT_OF_RANGE; KernelError RESIDUE_OUT_OF_RANGE
 */
export function scaleAndRound(
  basis: Basis,
  plainModulus: bigint,
  x: RnsVector,
  width = basis.degree,
): RnsVector {
  const { primes } = basis;
  requireLength(basis.limbs * width, x);
  if (basis.limbs > MAX_LIMBS) {
    throw new RingError(RingErrorCode.LIMBS_OUT_OF_RANGE, 'too many limbs to round', {
      metadata: { limbs: basis.limbs },
    });
  }
  if (plainModulus < 2n || plainModulus > 1n << 32n || primes.some((p) => p <= plainModulus)) {
    throw new RingError(RingErrorCode.SCALAR_OUT_OF_RANGE, 'plain modulus outside [2, 2^32]', {
      metadata: { plainModulus },
    });
  }
  const modulus = primes.reduce((product, prime) => product * prime, 1n);
  const { arena, integer } = basis.transforms[0].field.kernels;
  const out: RnsVector = new BigUint64Array(width);
  const mark = arena.mark();
  try {
    const whole = arena.scratch(8 * width);
    const fraction = arena.scratch(8 * width);
    arena.u64(whole, width).fill(0n);
    arena.f64(fraction, width).fill(0);
    basis.transforms.forEach(({ field }, limb) => {
      const { prime } = field;
      const values = field.copyIn(x, limb * width, width);
      const factor = modInverse((modulus / prime) % prime, prime);
      const c = arena.scratch(16);
      arena.u64(c, 2).set([factor, (factor << 64n) / prime]);
      const ratio = (plainModulus << 64n) / prime;
      integer.addFraction(whole, fraction, values, width, c, plainModulus, ratio, prime);
    });
    const uncertain = arena.scratch(4 * width);
    const count = integer.round(whole, fraction, width, plainModulus, MARGIN, uncertain);
    out.set(arena.u64(whole, width));
    const bytes = arena.bytes(uncertain, 4 * count);
    for (const j of new Uint32Array(bytes.slice().buffer)) {
      out[j] = exactly(primes, modulus, plainModulus, (limb) => x[limb * width + j]);
    }
  } finally {
    arena.release(mark);
  }
  return out;
}

/** One coefficient with integers of arbitrary size, by the Chinese remainder theorem. */
function exactly(
  primes: readonly bigint[],
  modulus: bigint,
  plainModulus: bigint,
  residue: (limb: number) => bigint,
): bigint {
  const value = primes.reduce((sum, prime, limb) => {
    const rest = modulus / prime;
    return sum + rest * ((residue(limb) * modInverse(rest % prime, prime)) % prime);
  }, 0n);
  return ((2n * plainModulus * (value % modulus) + modulus) / (2n * modulus)) % plainModulus;
}
