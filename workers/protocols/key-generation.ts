import { createHash } from 'node:crypto';
import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { serializePublicKey } from '../fhe/keys.ts';
import { decryptionPlan } from '../fhe/noise.ts';
import { multiply, ntt, subtract } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { uniformPolynomial } from '../ring/uniform.ts';
import { Operation, Role, itemId, itemPrefix } from '../sharing/ids.ts';
import type { SharedRandomness } from '../sharing/prss.ts';
import { describeOpening } from './describe.ts';
import { keyShareFor, openOnce, requireValue } from './opening.ts';
import type { KeyShare, Opening, Part, Session, Step } from './opening.ts';
import { smallShare } from './small-shares.ts';

export { open } from './opening.ts';

/**
 * Generates a key. Its shares are of generation 0: what an operator's `keyShareOf` is, and keeps,
 * before it lets a share of this opening out.
 *
 * @throws FheError NOISE_NEVER_FITS if the committee could never decrypt under such a key
 */
export function publicKey(
  session: Session,
  key: { readonly keyId: Hex; readonly set: ParameterSet },
): Part<GeneratedKey> {
  const opening = describe(session, key);
  const reference = { keyId: key.keyId, generation: 0 };
  const step: Step = {
    opening,
    share: (secrets) =>
      maskedShare(opening, keyShareFor(secrets, reference, key.set), secrets.randomness),
  };
  return openOnce(step, (value) => finish(opening, value));
}

/**
 * An operator's share of the new secret key: a function of the set keys, like everything in the
 * epoch.
 *
 * Secret.
 */
export function keyShareOf(
  session: Session,
  key: { readonly keyId: Hex; readonly set: ParameterSet },
  randomness: SharedRandomness,
): KeyShare {
  return newKeyShare(describe(session, key), randomness);
}

/** The opening of b = e - a·s over all primes, in NTT form. */
export interface KeyGeneration extends Opening {
  readonly keyId: Hex;
  readonly set: ParameterSet;
  /** Item ids of the secret and of the error. */
  readonly secretId: Hex;
  readonly errorId: Hex;
  /** The public polynomial a, in NTT form. */
  readonly a: RnsVector;
}

/** What key generation ends with. */
export interface GeneratedKey {
  /** SEAL's PublicKey object. */
  readonly publicKey: Uint8Array;
  /** SHA-256 of it: what operators sign. */
  readonly digest: Hex;
}

/**
 * What is opened to generate a key.
 *
 * @throws FheError NOISE_NEVER_FITS if the committee could never decrypt under such a key
 */
export function describe(
  session: Session,
  key: { readonly keyId: Hex; readonly set: ParameterSet },
): KeyGeneration {
  const { keyId, set } = key;
  decryptionPlan(set, session.committee);
  const prefix = itemPrefix({ ...session, operation: Operation.keyGeneration, content: keyId });
  return {
    ...describeOpening(session, { set, itemPrefix: prefix, keys: [] }),
    keyId,
    set,
    secretId: itemId(prefix, { role: Role.s }),
    errorId: itemId(prefix, { role: Role.e }),
    a: uniformPolynomial(basisOf(set), hexToBytes(itemId(prefix, { role: Role.a }))),
  };
}

/**
 * One operator's step: its share of b, and its share of the new secret key.
 *
 * Secret: the key share. The share of b is meant for the peers.
 */
export function share(
  generation: KeyGeneration,
  randomness: SharedRandomness,
): { share: RnsVector; keyShare: KeyShare } {
  const keyShare = newKeyShare(generation, randomness);
  return { share: maskedShare(generation, keyShare, randomness), keyShare };
}

function newKeyShare({ set, secretId }: KeyGeneration, randomness: SharedRandomness): KeyShare {
  const basis = basisOf(set);
  const coefficients = smallShare(basis, randomness, secretId, 'ternary');
  return { generation: 0, ntt: ntt(basis, coefficients), coefficients };
}

/** A share of e - a·s. */
function maskedShare(
  { set, a, errorId }: KeyGeneration,
  keyShare: KeyShare,
  randomness: SharedRandomness,
): RnsVector {
  const basis = basisOf(set);
  const error = ntt(basis, smallShare(basis, randomness, errorId, 'binomial'));
  return subtract(basis, error, multiply(basis, a, keyShare.ntt));
}

/**
 * The public key behind an opened b.
 *
 * @throws ProtocolError VALUE_MISMATCH
 */
export function finish(generation: KeyGeneration, value: RnsVector): GeneratedKey {
  requireValue(generation, value);
  const publicKey = serializePublicKey(generation.set, value, generation.a);
  const digest = createHash('sha256').update(publicKey).digest('hex');
  return { publicKey, digest: `0x${digest}` };
}
