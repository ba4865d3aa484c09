import { createHash } from 'node:crypto';
import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { Accumulator } from '../ring/accumulator.ts';
import type { RnsVector } from '../ring/basis.ts';
import { innerProducts } from '../ring/inner-products.ts';
import { shareLength } from './opening.ts';
import type { OpeningShape } from './opening.ts';

/** Random combinations per prime that a published value is checked by. */
export const combinationsPerPrime = 4;

const label = Buffer.from('keyloom/check/1');
const bytesEach = 16;

/** SHA-256 of a value's residues as little-endian u64: what the combinations are drawn from. */
export function valueDigest(value: RnsVector): Hex {
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Shape of the combinations of vectors of a shape: they are opened like any other value. */
export function combinationShape({ primes, polynomials }: OpeningShape): OpeningShape {
  return { primes, width: combinationsPerPrime, polynomials };
}

/**
 * Random linear combinations of vectors, to find out whether a published value is the opened one:
 * that of the shares are shares of that of the value. See docs/formats.md, Check of a published
 * value.
 *
 * The coefficients follow from the value, so whoever publishes one has no say in them. A wrong value
 * is wrong modulo some prime p, and passes with probability p^-4 per attempt: 2^-170 for primes of
 * 43 bits.
 *
 * Source: M. Bellare, J. Garay, T. Rabin, Fast batch verification for modular exponentiation and
 * digital signatures (EUROCRYPT 1998), the random subset and small exponents tests, with
 * coefficients as large as the field.
 *
 * @param digest `valueDigest` of the published value
 * @param vectors each of the shape, canonical; not mutated
 * @returns for each vector its combinations, of `combinationShape`
 * @throws SharingError SHAPE_INVALID; RingError LENGTH_MISMATCH; KernelError RESIDUE_OUT_OF_RANGE
 */
export function combinationsOf(
  openingId: Hex,
  digest: Hex,
  shape: OpeningShape,
  vectors: readonly RnsVector[],
): RnsVector[] {
  const work = combining(openingId, digest, shape, vectors);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** `combinationsOf` in steps of a few milliseconds, for a process that has other things to do between. */
export function* combining(
  openingId: Hex,
  digest: Hex,
  shape: OpeningShape,
  vectors: readonly RnsVector[],
): Generator<void, RnsVector[], void> {
  const { primes, width, polynomials } = shape;
  const limbs = primes.length;
  const results = vectors.map(
    (): RnsVector => new BigUint64Array(shareLength(combinationShape(shape))),
  );
  for (let k = 0; k < combinationsPerPrime; k++) {
    for (const [limb, prime] of primes.entries()) {
      yield;
      const coefficients = coefficientsOf(openingId, digest, k, limb, prime, width);
      for (let polynomial = 0; polynomial < polynomials; polynomial++) {
        const start = (polynomial * limbs + limb) * width;
        vectors.forEach((vector, at) => {
          const terms = vector.subarray(start, start + width);
          const [sum] = innerProducts([prime], width, terms, coefficients);
          results[at][(polynomial * limbs + limb) * combinationsPerPrime + k] = sum;
        });
      }
    }
  }
  return results;
}

/** Coefficients of combination k modulo the prime of a limb. */
function coefficientsOf(
  openingId: Hex,
  digest: Hex,
  k: number,
  limb: number,
  prime: bigint,
  width: number,
): RnsVector {
  const place = Buffer.alloc(8);
  place.writeUInt32LE(k, 0);
  place.writeUInt32LE(limb, 4);
  const stream = createHash('shake128', { outputLength: bytesEach * width })
    .update(label)
    .update(hexToBytes(openingId))
    .update(hexToBytes(digest))
    .update(place)
    .digest();
  const accumulator = new Accumulator([prime], width);
  accumulator.addWide(stream, [1n]);
  return accumulator.value();
}
