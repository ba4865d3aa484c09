import { createHash } from 'node:crypto';
import { Accumulator } from './accumulator.ts';
import type { Basis, RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

const LABEL = Buffer.from('keyloom/a/1');
const BYTES_EACH = 16;

/**
 * The public uniform polynomial `a` of an item: SHAKE128 per limb, 16 bytes per coefficient
 * (docs/formats.md, "Expander").
 *
 * @param itemId the 32 bytes of the item id
 * @returns taken to be in NTT form; its distance from uniform is below 2^-67 per coefficient for
 *   primes below 2^61
 * @throws RingError LENGTH_MISMATCH
 */
export function uniformPolynomial(basis: Basis, itemId: Uint8Array): RnsVector {
  if (itemId.length !== 32) {
    throw new RingError(RingErrorCode.LENGTH_MISMATCH, 'an item id has 32 bytes', {
      metadata: { actual: itemId.length },
    });
  }
  const { degree, primes } = basis;
  const out: RnsVector = new BigUint64Array(primes.length * degree);
  primes.forEach((prime, limb) => {
    const index = Buffer.alloc(4);
    index.writeUInt32LE(limb);
    const stream = createHash('shake128', { outputLength: BYTES_EACH * degree })
      .update(LABEL)
      .update(itemId)
      .update(index)
      .digest();
    const accumulator = new Accumulator([prime], degree);
    accumulator.addWide(stream, [1n]);
    out.set(accumulator.value(), limb * degree);
  });
  return out;
}
