import type { Hex } from 'viem';

import type { GatewayEvent } from '../../chain/events.ts';
import type { GatewayState } from '../../chain/state.ts';
import { ciphertextLength } from '../../fhe/ciphertext.ts';
import { entryLength } from '../../fhe/evaluation-keys.ts';
import { parameterSets } from '../../ring/parameters.ts';

/** Most bytes a public object can have: an entry of an evaluation key is the longest. */
export const longestObject = Math.max(...parameterSets.map(entryLength));

/** Most bytes an upload can have: a user's public key is over all primes, a ciphertext over fewer. */
export const longestUpload = Math.max(
  ...parameterSets.map((set) => ciphertextLength(set, set.primes.length)),
);

/** The digests that the chain names, so that each can be looked up without a search. */
export class PublicDigests {
  readonly #uploadable = new Set<Hex>();
  readonly #others = new Set<Hex>();

  /** True of what users upload: registered ciphertexts, and the keys that decryptions are for. */
  isUploadable(digest: Hex): boolean {
    return this.#uploadable.has(digest);
  }

  /** True of every public object: what is uploaded, keys, entries, plaintexts and answers. */
  has(digest: Hex): boolean {
    return this.#uploadable.has(digest) || this.#others.has(digest);
  }

  /** Takes note of an event that has been applied to the state. */
  note(state: GatewayState, event: GatewayEvent): void {
    const { eventName, args } = event;
    if (eventName === 'CiphertextRegistered') this.#uploadable.add(args.digest);
    if (eventName === 'UserDecryptionRequested') this.#uploadable.add(args.publicKeyDigest);
    if (eventName === 'PublicKeyRecorded') this.#others.add(args.digest);
    if (eventName === 'EvaluationKeysRecorded') this.#noteAll(args.digests);
    if (eventName === 'UserDecryptionResponded') this.#noteAll(args.result);
    // The result of listed positions is the plaintext itself.
    const isListed = (id: Hex): boolean => state.requests.get(id)?.positions.length !== 0;
    if (eventName === 'PublicDecryptionResponded' && !isListed(args.requestId))
      this.#noteAll(args.result);
  }

  /** Takes note of digests that follow each other. */
  #noteAll(digests: Hex): void {
    for (let at = 2; at + 64 <= digests.length; at += 64)
      this.#others.add(`0x${digests.slice(at, at + 64)}`);
  }
}
