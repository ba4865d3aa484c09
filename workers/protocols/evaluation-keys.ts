import type { Hex } from 'viem';
import { digitsOf } from '../fhe/evaluation-keys.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { galoisKeyDigit } from './galois-key.ts';
import type { Part, Session } from './opening.ts';
import { relinearizationKeyDigit } from './relinearization-key.ts';
import { switchingKeyDigit } from './switching-key.ts';

export { entryLength } from '../fhe/evaluation-keys.ts';

/** What can be asked for at once beside a public key. */
export type EvaluationKeyRequest =
  | { readonly kind: 'relinearization'; readonly keyId: Hex }
  | { readonly kind: 'galois'; readonly keyId: Hex; readonly elements: readonly number[] }
  /** From `keyId` to `targetKeyId`. */
  | { readonly kind: 'switching'; readonly keyId: Hex; readonly targetKeyId: Hex };

/** One entry of a SEAL key file: what is hashed, recorded and downloaded as one. */
export interface KeyEntry {
  /** Galois element; 0 if there is none. */
  readonly element: number;
  readonly digits: number;
  /** The part that makes a digit, as SEAL's PublicKey object. Digits do not depend on each other. */
  readonly digit: (digit: number) => Part<Uint8Array>;
}

/**
 * The entries a request consists of, in the order of its result: one, or one per Galois element.
 *
 * @param generationOf which generation of a key's shares the operators use
 * @throws the entry's `digit`: ProtocolError GALOIS_ELEMENT_INVALID, SWITCHING_TO_ITSELF,
 * DIGIT_OUT_OF_RANGE
 */
export function entriesOf(
  session: Session,
  request: EvaluationKeyRequest,
  set: ParameterSet,
  generationOf: (keyId: Hex) => number,
): readonly KeyEntry[] {
  const digits = digitsOf(set);
  const reference = (keyId: Hex) => ({ keyId, generation: generationOf(keyId) });
  const key = { ...reference(request.keyId), set };
  switch (request.kind) {
    case 'relinearization':
      return [
        { element: 0, digits, digit: (digit) => relinearizationKeyDigit(session, key, digit) },
      ];
    case 'galois':
      return request.elements.map((element) => ({
        element,
        digits,
        digit: (digit) => galoisKeyDigit(session, { ...key, element }, digit),
      }));
    case 'switching': {
      const keys = { from: reference(request.keyId), to: reference(request.targetKeyId), set };
      return [{ element: 0, digits, digit: (digit) => switchingKeyDigit(session, keys, digit) }];
    }
  }
}

/** Bytes of one operator's shares in all openings of a request. */
export function openingBytes(request: EvaluationKeyRequest, set: ParameterSet): number {
  const polynomial = 8 * set.primes.length * set.degree;
  switch (request.kind) {
    case 'relinearization':
      // h0 and h1, then g.
      return 3 * digitsOf(set) * polynomial;
    case 'galois':
      return request.elements.length * digitsOf(set) * polynomial;
    case 'switching':
      return digitsOf(set) * polynomial;
  }
}
