import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { serializeCiphertext } from '../fhe/ciphertext.ts';
import { add, intt, multiply, ntt } from '../ring/arithmetic.ts';
import { basisOf } from '../ring/basis.ts';
import type { Basis, RnsVector } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { Operation, Role, itemId, itemPrefix } from '../sharing/ids.ts';
import { floodedShare, requirePreparedFor } from './decryption-input.ts';
import type { DecryptionInput } from './decryption-input.ts';
import { describeOpening } from './describe.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';
import { keyShareFor, requireValues } from './opening.ts';
import type { KeyReference, Part, Secrets, Session, Step } from './opening.ts';
import { atPositions, plus } from './positions.ts';
import type { Recipient } from './recipient.ts';
import { smallShare } from './small-shares.ts';

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
  const { set, ciphertexts, recipient, form } = decryption;
  const { limbs } = ciphertexts[0];
  const basis = basisOf(set, limbs);
  const positions =
    form === 'packed' ? Uint32Array.from(ciphertexts, (_, position) => position) : undefined;
  const prefix = prefixOf(session, decryption, ciphertexts);
  const common = { set, itemPrefix: prefix, limbs };
  const masked: Step = {
    opening: describeOpening(session, { ...common, keys: [decryption], step: 0, positions }),
    share: (secrets) =>
      plus(
        basis.primes,
        floodedShares(session, decryption, secrets),
        zeroShare(basis, prefix, secrets, recipient.b, 0, positions),
      ),
  };
  const mask: Step = {
    opening: describeOpening(session, { ...common, keys: [], step: 1 }),
    share: (secrets) => zeroShare(basis, prefix, secrets, recipient.a, 1),
  };

  const steps = [masked, mask];
  const values = yield steps;
  requireValues(steps, values);
  const [h0, h1] = values;
  const c0 =
    form === 'full' ? add(basis, ciphertexts[0].c0, h0) : scattered(basis, ciphertexts, h0);
  return serializeCiphertext(set, { limbs, c0, c1: h1 });
}

function prefixOf(
  session: Session,
  { keyId, recipient }: UserDecryption,
  ciphertexts: readonly DecryptionInput[],
): Hex {
  const digests = ciphertexts.map(({ digest }) => digest);
  return itemPrefix({
    ...session,
    operation: Operation.userDecryption,
    content: keccak256(encodeAbiParameters(contentLayout, [keyId, digests, recipient.digest])),
  });
}

/**
 * One of the two polynomials of the list's encryption of zero: v·p + e, in coefficient form.
 *
 * @param p of the user's key, in NTT form over all primes
 * @param polynomial 0 for p0, 1 for p1
 */
function zeroShare(
  basis: Basis,
  prefix: Hex,
  { randomness }: Secrets,
  p: RnsVector,
  polynomial: number,
  positions?: Uint32Array,
): RnsVector {
  const { degree, limbs, primes } = basis;
  const v = smallShare(basis, randomness, itemId(prefix, { role: Role.v }), 'ternary');
  const errorId = itemId(prefix, { role: Role.e, polynomial });
  const error = smallShare(basis, randomness, errorId, 'binomial', positions);
  const product = intt(basis, multiply(basis, p.subarray(0, limbs * degree), ntt(basis, v)));
  return plus(primes, positions ? atPositions(product, degree, positions) : product, error);
}

/** c1·s + E: the whole, or coefficient 0 of each ciphertext in the order of the list. */
function floodedShares(session: Session, decryption: UserDecryption, secrets: Secrets): RnsVector {
  const { set, ciphertexts, form } = decryption;
  const keyShare = keyShareFor(secrets, decryption, set);
  const shareOf = (input: DecryptionInput, positions?: Uint32Array): RnsVector => {
    const alone = prefixOf(session, decryption, [input]);
    const floodingId = itemId(alone, { role: Role.flooding });
    return floodedShare(input, keyShare, secrets.randomness, floodingId, positions);
  };
  if (form === 'full') return shareOf(ciphertexts[0]);
  const width = ciphertexts.length;
  const out: RnsVector = new BigUint64Array(ciphertexts[0].limbs * width);
  ciphertexts.forEach((input, position) => {
    shareOf(input, scalarPosition).forEach((residue, limb) => {
      out[limb * width + position] = residue;
    });
  });
  return out;
}

/** Coefficient j is that of c0 of ciphertext j at 0, plus h0 at j; the others are 0. */
function scattered(
  { degree, primes }: Basis,
  ciphertexts: readonly DecryptionInput[],
  h0: RnsVector,
): RnsVector {
  const out: RnsVector = new BigUint64Array(primes.length * degree);
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
