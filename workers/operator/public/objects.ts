import type { Hex } from 'viem';

import type { GatewayEvent } from '../../chain/events.ts';
import type { GatewayState } from '../../chain/state.ts';
import { ciphertextLength, firstLimbs } from '../../fhe/ciphertext.ts';
import { parameterSets } from '../../ring/parameters.ts';

/** Most bytes a public object can have: a public key over all primes is the longest. */
export const longestObject = Math.max(
  ...parameterSets.map((set) => ciphertextLength(set, set.primes.length)),
);

/** Most bytes an uploaded ciphertext can have. */
export const longestCiphertext = Math.max(
  ...parameterSets.map((set) => ciphertextLength(set, firstLimbs(set))),
);

/** The digests that the chain names, so that each can be looked up without a search. */
export class PublicDigests {
  readonly #ciphertexts = new Set<Hex>();
  readonly #others = new Set<Hex>();

  /** True of registered ciphertexts. */
  isCiphertext(digest: Hex): boolean {
    return this.#ciphertexts.has(digest);
  }

  /** True of every public object: ciphertexts, public keys, decrypted plaintexts. */
  has(digest: Hex): boolean {
    return this.#ciphertexts.has(digest) || this.#others.has(digest);
  }

  /** Takes note of an event that has been applied to the state. */
  note(state: GatewayState, event: GatewayEvent): void {
    if (event.eventName === 'CiphertextRegistered') this.#ciphertexts.add(event.args.digest);
    if (event.eventName === 'PublicKeyRecorded') this.#others.add(event.args.digest);
    if (event.eventName !== 'PublicDecryptionResponded') return;
    const { requestId, result } = event.args;
    const request = state.requests.get(requestId);
    if (request === undefined || request.positions.length > 0) return;
    // The result of all coefficients is one digest per ciphertext.
    for (let at = 0; at < request.handles.length; at++)
      this.#others.add(`0x${result.slice(2 + 64 * at, 66 + 64 * at)}`);
  }
}
