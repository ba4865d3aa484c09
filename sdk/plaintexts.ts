import { isKeyloomError } from '../workers/errors.ts';
import { decodeSlots, decrypt } from '../workers/fhe/client.ts';
import { parsePlaintext } from '../workers/fhe/plaintext.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';
import { SdkError, SdkErrorCode } from './errors.ts';

/** What a ciphertext held. */
export interface DecryptedValues {
  readonly coefficients: bigint[];
  /** The batched slots; undefined where the set does not batch or coefficients are missing. */
  readonly slots: bigint[] | undefined;
}

/** How a user decryption is answered: one ciphertext as a whole, or the scalars of several. */
export type AnswerForm = 'full' | 'packed';

/**
 * Reads SEAL's Plaintext object with all coefficients, as operators serve it.
 *
 * @throws FheError the format codes of `parsePlaintext`
 */
export function readPlaintext(set: ParameterSet, plaintext: Uint8Array): DecryptedValues {
  const coefficients = [...parsePlaintext(set, plaintext)];
  return { coefficients, slots: set.batching ? decodeSlots(set, plaintext) : undefined };
}

/**
 * Decrypts the answer to a user decryption: one call of stock SEAL with the user's own key.
 *
 * With another user's key the values are random: nothing in a ciphertext tells whom it is for.
 *
 * @param secretKey the user's SEAL SecretKey object
 * @param answer SEAL Ciphertext object whose SHA-256 is on chain
 * @param form full: everything the ciphertext holds. packed: coefficient 0 of each of `count`
 * ciphertexts, in the order of the request
 * @param count number of ciphertexts of a packed request; a full answer is of one
 * @returns packed: `count` coefficients; what the answer holds beyond them means nothing
 * @throws SdkError ANSWER_INVALID if SEAL does not load the key or the answer, or `count` does not fit
 */
export function decryptAnswer(
  set: ParameterSet,
  secretKey: Uint8Array,
  answer: Uint8Array,
  form: AnswerForm,
  count = 1,
): DecryptedValues {
  const most = form === 'full' ? 1 : set.degree;
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new SdkError(SdkErrorCode.ANSWER_INVALID, `a ${form} answer is not of ${count} values`, {
      metadata: { form, count },
    });
  const { coefficients, slots } = readPlaintext(set, decrypted(set, secretKey, answer));
  return form === 'full'
    ? { coefficients, slots }
    : { coefficients: coefficients.slice(0, count), slots: undefined };
}

function decrypted(set: ParameterSet, secretKey: Uint8Array, answer: Uint8Array): Uint8Array {
  try {
    return decrypt(set, secretKey, answer);
  } catch (cause) {
    if (!isKeyloomError(cause)) throw cause;
    throw new SdkError(SdkErrorCode.ANSWER_INVALID, 'SEAL refuses the secret key or the answer', {
      advice: 'Use the secret key of the pair whose digest is in the request.',
      metadata: { set: set.name },
      cause,
    });
  }
}
