import type { Hex } from 'viem';

import { powersFileLimit } from '../../ceremony/file.ts';
import { maxPower } from '../../ceremony/layout.ts';
import type { GatewayEvent } from '../../chain/events.ts';
import type { GatewayState } from '../../chain/state.ts';
import { ciphertextLength } from '../../fhe/ciphertext.ts';
import { FheError } from '../../fhe/errors.ts';
import { entryLength } from '../../fhe/evaluation-keys.ts';
import { parseRecipient } from '../../protocols/recipient.ts';
import { parameterSets } from '../../ring/parameters.ts';

/** Most bytes a public object can have: the file of a ceremony is the longest. */
export const longestObject = Math.max(powersFileLimit(maxPower), ...parameterSets.map(entryLength));

/** Most bytes an upload can have: a user's public key is over all primes, a ciphertext over fewer. */
export const longestUpload = Math.max(
  ...parameterSets.map((set) => ciphertextLength(set, set.primes.length)),
);

/** The digests that the chain names, so that each can be looked up without a search. */
export class PublicDigests {
  /** Ciphertexts, and their proofs. */
  readonly #inputs = new Set<Hex>();
  readonly #userKeys = new Set<Hex>();
  readonly #answers = new Set<Hex>();
  readonly #contributions = new Set<Hex>();
  readonly #others = new Set<Hex>();

  /** True of what users upload: registered ciphertexts, their proofs, and the keys that decryptions are for. */
  isUploadable(digest: Hex): boolean {
    return this.#inputs.has(digest) || this.#userKeys.has(digest);
  }

  /** True of what is named as a key that decryptions are for, and as no ciphertext or proof. */
  isUserKey(digest: Hex): boolean {
    return this.#userKeys.has(digest) && !this.#inputs.has(digest);
  }

  /** True of what is kept for good: all but user decryptions' keys and answers, and contributions. */
  isLasting(digest: Hex): boolean {
    return this.#inputs.has(digest) || this.#others.has(digest);
  }

  /** True of every public object: what is uploaded, keys, entries, plaintexts, answers, files of ceremonies. */
  has(digest: Hex): boolean {
    return (
      this.isUploadable(digest) ||
      [this.#answers, this.#contributions, this.#others].some((named) => named.has(digest))
    );
  }

  /** Takes note of an event that has been applied to the state. */
  note(state: GatewayState, event: GatewayEvent): void {
    const { eventName, args } = event;
    if (eventName === 'CiphertextRegistered') {
      this.#inputs.add(args.digest);
      const proof = state.ciphertexts.get(args.handle)?.proofDigest;
      if (proof !== undefined) this.#inputs.add(proof);
    }
    if (eventName === 'UserDecryptionRequested') this.#userKeys.add(args.publicKeyDigest);
    if (eventName === 'ContributionRecorded') this.#contributions.add(args.next.digest);
    if (eventName === 'PublicKeyRecorded') this.#others.add(args.digest);
    if (eventName === 'EvaluationKeysRecorded') noteAll(this.#others, args.digests);
    if (eventName === 'UserDecryptionResponded') noteAll(this.#answers, args.result);
    // The result of listed positions is the plaintext itself.
    const isListed = (id: Hex): boolean => state.requests.get(id)?.positions.length !== 0;
    if (eventName === 'PublicDecryptionResponded' && !isListed(args.requestId))
      noteAll(this.#others, args.result);
  }
}

/** Digests that follow each other. */
export function* digestsIn(digests: Hex): Generator<Hex> {
  for (let at = 2; at + 64 <= digests.length; at += 64) yield `0x${digests.slice(at, at + 64)}`;
}

function noteAll(noted: Set<Hex>, digests: Hex): void {
  for (const digest of digestsIn(digests)) noted.add(digest);
}

/** Whether bytes are a user's public key under a parameter set, as decryptions can be for. */
export function isRecipient(bytes: Uint8Array): boolean {
  return parameterSets
    .filter((set) => ciphertextLength(set, set.primes.length) === bytes.length)
    .some((set) => {
      try {
        parseRecipient(set, bytes);
        return true;
      } catch (error) {
        if (error instanceof FheError) return false;
        throw error;
      }
    });
}
