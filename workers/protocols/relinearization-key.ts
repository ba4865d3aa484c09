import { hexToBytes } from 'viem';
import { serializePublicKey } from '../fhe/keys.ts';
import { add, multiply, ntt, subtract } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { uniformPolynomial } from '../ring/uniform.ts';
import { Operation, Role, itemId, itemPrefix } from '../sharing/ids.ts';
import { describeOpening } from './describe.ts';
import { addDigit, requireDigit } from './digits.ts';
import { keyShareFor, requireValues } from './opening.ts';
import type { KeyReference, Part, Secrets, Session, Step } from './opening.ts';
import { smallShare } from './small-shares.ts';

/**
 * Digit d of a relinearization key, in two rounds over all primes, in NTT form:
 *
 *   h0 = -u·a + P·s·[limb d] + e0 and h1 = s·a + e1, as one opening;
 *   g = s·h0 + (u - s)·h1 + e2.
 *
 * (g, h1) encrypts P·s²·[limb d] under s with the error s·e0 + u·e1 + e2. u is one ternary polynomial
 * per key, a and the errors are of the digit.
 *
 * The second share is safe for the opened h0 and h1 only: with others in their place it is another
 * linear function of s. The values that a part is told must therefore have been opened robustly, or
 * checked against shares.
 *
 * Source: C. Mouchet et al., Multiparty homomorphic encryption from ring-learning-with-errors (PETS
 * 2021), protocol 2, with the two summands of g opened as their sum. Assumptions: docs/protocols.md.
 *
 * @returns part that ends with the digit, as SEAL's PublicKey object
 * @throws ProtocolError DIGIT_OUT_OF_RANGE
 */
export function relinearizationKeyDigit(
  session: Session,
  key: KeyReference & { readonly set: ParameterSet },
  digit: number,
): Part<Uint8Array> {
  requireDigit(key.set, digit);
  return twoRounds(session, key, digit);
}

function* twoRounds(
  session: Session,
  key: KeyReference & { readonly set: ParameterSet },
  digit: number,
): Part<Uint8Array> {
  const { set } = key;
  const basis = basisOf(set);
  const prefix = itemPrefix({
    ...session,
    operation: Operation.relinearizationKey,
    content: key.keyId,
  });
  const a = uniformPolynomial(basis, hexToBytes(itemId(prefix, { role: Role.a, digit })));
  const common = { set, itemPrefix: prefix, keys: [key], digit };

  // Secret, in NTT form.
  const secretOf = (secrets: Secrets): RnsVector => keyShareFor(secrets, key, set).ntt;
  const ephemeralOf = ({ randomness }: Secrets): RnsVector =>
    ntt(basis, smallShare(basis, randomness, itemId(prefix, { role: Role.u }), 'ternary'));
  const errorOf = ({ randomness }: Secrets, polynomial: number): RnsVector => {
    const id = itemId(prefix, { role: Role.e, digit, polynomial });
    return ntt(basis, smallShare(basis, randomness, id, 'binomial'));
  };

  const first: Step = {
    opening: describeOpening(session, { ...common, step: 0, polynomials: 2 }),
    share(secrets) {
      const s = secretOf(secrets);
      const product = multiply(basis, a, ephemeralOf(secrets));
      const h0 = addDigit(set, digit, subtract(basis, errorOf(secrets, 0), product), s);
      const h1 = add(basis, multiply(basis, a, s), errorOf(secrets, 1));
      const both: RnsVector = new BigUint64Array(2 * h0.length);
      both.set(h0);
      both.set(h1, h0.length);
      return both;
    },
  };
  const opened = yield [first];
  requireValues([first], opened);
  const h0 = opened[0].subarray(0, a.length);
  const h1 = opened[0].subarray(a.length);

  const second: Step = {
    opening: describeOpening(session, { ...common, step: 1 }),
    share(secrets) {
      const s = secretOf(secrets);
      const difference = subtract(basis, ephemeralOf(secrets), s);
      const products = add(basis, multiply(basis, s, h0), multiply(basis, difference, h1));
      return add(basis, products, errorOf(secrets, 2));
    },
  };
  const summed = yield [second];
  requireValues([second], summed);
  return serializePublicKey(set, summed[0], h1);
}
