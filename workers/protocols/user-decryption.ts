import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { serializeCiphertext } from '../fhe/ciphertext.ts';
import { add, intt, multiply, ntt } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { Operation, Role, itemId, itemPrefix, openingId, parameterSetId } from '../sharing/ids.ts';
import type { Distribution } from '../sharing/prss.ts';
import { floodedShare, requirePreparedFor } from './decryption-input.ts';
import type { DecryptionInput } from './decryption-input.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';
import { keyShareFor, requireValues } from './opening.ts';
import type { KeyReference, Part, Secrets, Session, Step } from './opening.ts';
import { atPositions, plus } from './positions.ts';
import type { Recipient } from './recipient.ts';

export { prepare } from './decryption-input.ts';
export type { DecryptionInput } from './decryption-input.ts';
export { parseRecipient } from './recipient.ts';
export type { Recipient } from './recipient.ts';

/** What a user decryption is asked for. All of it is public. */
export interface UserDecryption extends KeyReference {
  readonly set: ParameterSet;
  /** In the order of the answer. */
  readonly ciphertexts: readonly DecryptionInput[];
  readonly recipient: Recipient;
  /** `full`: one ciphertext, all of it. `packed`: coefficient 0 of each of at most N ciphertexts. */
  readonly form: 'full' | 'packed';
}

/** Coefficient 0, where scalar plaintexts are. */
const scalarPosition = Uint32Array.of(0);
const contentLayout = parseAbiParameters('bytes32, bytes32[], bytes32');

/**
 * Re-encrypts ciphertexts to a user's own SEAL public key (p0, p1), in one round of two openings:
 *
 *   h0 = (c1·s + E) + (v·p0 + e0) and h1 = v·p1 + e1
 *
 * at the decryption level, in coefficient form. (c0 + h0, h1) is an ordinary ciphertext under the
 * user's key. In packed form position j of h0 carries coefficient 0 of ciphertext j.
 *
 * The second summand of h0 and h1 are an encryption of zero of the list's own. The first belongs to
 * ciphertext and recipient: it is the same in every list, so that there is nothing to average, and
 * without an e0 of the list two lists would differ by exact multiples of p0. See docs/protocols.md.
 *
 * @returns part that ends with SEAL's Ciphertext object at the decryption level
 * @throws ProtocolError ANSWER_FORM_INVALID, COMMITTEE_MISMATCH, RECIPIENT_MISMATCH
 */
export function userDecryption(session: Session, decryption: UserDecryption): Part<Uint8Array> {
  const { set, ciphertexts, recipient, form } = decryption;
  requireForm(set, ciphertexts.length, form);
  for (const input of ciphertexts) requirePreparedFor(session.committee, set, input);
  if (recipient.set !== set) {
    throw new ProtocolError(
      ProtocolErrorCode.RECIPIENT_MISMATCH,
      'the recipient’s key is of another parameter set',
      { metadata: { set: set.name, recipientSet: recipient.set.name } },
    );
  }
  return reencrypt(session, decryption);
}

function* reencrypt(session: Session, decryption: UserDecryption): Part<Uint8Array> {
  const { committee, setupDigest } = session;
  const { keyId, generation, set, ciphertexts, recipient, form } = decryption;
  const { limbs } = ciphertexts[0];
  const basis = basisOf(set, limbs);
  const { primes, degree } = basis;
  const positions =
    form === 'packed' ? Uint32Array.from(ciphertexts, (_, position) => position) : undefined;
  const prefixOf = (inputs: readonly DecryptionInput[]): Hex => {
    const digests = inputs.map(({ digest }) => digest);
    return itemPrefix({
      ...session,
      operation: Operation.userDecryption,
      content: keccak256(encodeAbiParameters(contentLayout, [keyId, digests, recipient.digest])),
    });
  };
  const listPrefix = prefixOf(ciphertexts);

  const randomShare = (
    { randomness }: Secrets,
    id: Hex,
    kind: 'ternary' | 'binomial',
    at?: Uint32Array,
  ): RnsVector => {
    const distribution: Distribution = { kind };
    return randomness.share({
      primes,
      degree,
      itemId: id,
      distribution,
      ...(at && { positions: at }),
    });
  };
  /** Half of the list's encryption of zero: v·p + e. */
  const maskShare = (
    secrets: Secrets,
    p: RnsVector,
    polynomial: number,
    at?: Uint32Array,
  ): RnsVector => {
    const v = randomShare(secrets, itemId(listPrefix, { role: Role.v }), 'ternary');
    const error = randomShare(
      secrets,
      itemId(listPrefix, { role: Role.e, polynomial }),
      'binomial',
      at,
    );
    const product = intt(basis, multiply(basis, p.subarray(0, limbs * degree), ntt(basis, v)));
    return plus(primes, at === undefined ? product : atPositions(product, degree, at), error);
  };
  /** c1·s + E of each ciphertext: the whole, or coefficient 0 of each in the order of the list. */
  const floodedShares = (secrets: Secrets): RnsVector => {
    const keyShare = keyShareFor(secrets, decryption, set);
    const shareOf = (input: DecryptionInput, at?: Uint32Array): RnsVector => {
      const floodingId = itemId(prefixOf([input]), { role: Role.flooding });
      return floodedShare(input, keyShare, secrets.randomness, floodingId, at);
    };
    if (form === 'full') return shareOf(ciphertexts[0]);
    const out: RnsVector = new BigUint64Array(limbs * ciphertexts.length);
    ciphertexts.forEach((input, position) => {
      shareOf(input, scalarPosition).forEach((residue, limb) => {
        out[limb * ciphertexts.length + position] = residue;
      });
    });
    return out;
  };

  const common = {
    setupDigest,
    itemPrefix: listPrefix,
    parameterSetId: parameterSetId(set),
    limbs,
    polynomials: 1,
  };
  const width = positions?.length ?? degree;
  const masked: Step = {
    opening: {
      id: openingId({
        ...common,
        generations: [{ keyId, generation }],
        step: 0,
        width,
        ...(positions && { positions }),
      }),
      shape: { primes, width, polynomials: 1 },
      committee,
    },
    share: (secrets) =>
      plus(primes, floodedShares(secrets), maskShare(secrets, recipient.b, 0, positions)),
  };
  const mask: Step = {
    opening: {
      id: openingId({ ...common, generations: [], step: 1, width: degree }),
      shape: { primes, width: degree, polynomials: 1 },
      committee,
    },
    share: (secrets) => maskShare(secrets, recipient.a, 1),
  };

  const steps = [masked, mask];
  const values = yield steps;
  requireValues(steps, values);
  const [h0, h1] = values;
  const c0 =
    form === 'full' ? add(basis, ciphertexts[0].c0, h0) : scattered(degree, ciphertexts, h0);
  return serializeCiphertext(set, { limbs, c0, c1: h1 });
}

/** Coefficient j is that of c0 of ciphertext j at 0, plus h0 at j; the others are 0. */
function scattered(
  degree: number,
  ciphertexts: readonly DecryptionInput[],
  h0: RnsVector,
): RnsVector {
  const { set, limbs } = ciphertexts[0];
  const { primes } = basisOf(set, limbs);
  const out: RnsVector = new BigUint64Array(limbs * degree);
  primes.forEach((prime, limb) => {
    ciphertexts.forEach(({ c0 }, position) => {
      const opened = h0[limb * ciphertexts.length + position];
      out[limb * degree + position] = (c0[limb * degree] + opened) % prime;
    });
  });
  return out;
}

function requireForm(set: ParameterSet, count: number, form: UserDecryption['form']): void {
  const most = form === 'full' ? 1 : set.degree;
  if (count < 1 || count > most) {
    throw new ProtocolError(
      ProtocolErrorCode.ANSWER_FORM_INVALID,
      'a full answer is about one ciphertext, a packed one about 1 to N',
      { metadata: { form, ciphertexts: count } },
    );
  }
}
