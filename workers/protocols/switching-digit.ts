import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { serializePublicKey } from '../fhe/keys.ts';
import { multiply, ntt, subtract } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { uniformPolynomial } from '../ring/uniform.ts';
import { Role, itemId, itemPrefix } from '../sharing/ids.ts';
import type { Operation } from '../sharing/ids.ts';
import { describeOpening } from './describe.ts';
import { addDigit, requireDigit } from './digits.ts';
import { openOnce, keyShareFor } from './opening.ts';
import type { KeyReference, Part, Secrets, Session, Step } from './opening.ts';
import { smallShare } from './small-shares.ts';

/** One digit of a key that switches from s' to s; SEAL's Galois keys are such keys too. */
export interface SwitchingDigit {
  readonly operation: Operation;
  readonly content: Hex;
  readonly set: ParameterSet;
  readonly digit: number;
  /** 0 where s' is no image of s. */
  readonly galoisElement: number;
  /** The key that has s. */
  readonly target: KeyReference;
  /** Every key whose shares are used, in the operation's order. */
  readonly keys: readonly KeyReference[];
  /** An operator's share of s', in NTT form over all primes. Secret. */
  readonly source: (secrets: Secrets) => RnsVector;
}

/**
 * Opens b = -a·s + e + P·s'·[limb d] over all primes, in NTT form.
 *
 * @returns part that ends with SEAL's PublicKey object (b, a)
 * @throws ProtocolError DIGIT_OUT_OF_RANGE
 */
export function switchingDigit(session: Session, key: SwitchingDigit): Part<Uint8Array> {
  const { operation, content, set, digit, galoisElement, target, keys, source } = key;
  requireDigit(set, digit);
  const basis = basisOf(set);
  const prefix = itemPrefix({ ...session, operation, content });
  const coordinates = { digit, galoisElement };
  const errorId = itemId(prefix, { role: Role.e, ...coordinates });
  const a = uniformPolynomial(basis, hexToBytes(itemId(prefix, { role: Role.a, ...coordinates })));
  const step: Step = {
    opening: describeOpening(session, { set, itemPrefix: prefix, keys, ...coordinates }),
    share(secrets) {
      const error = ntt(basis, smallShare(basis, secrets.randomness, errorId, 'binomial'));
      const secret = keyShareFor(secrets, target, set).ntt;
      const masked = subtract(basis, error, multiply(basis, a, secret));
      return addDigit(set, digit, masked, source(secrets));
    },
  };
  return openOnce(step, (b) => serializePublicKey(set, b, a));
}
