/**
 * Where a registered ciphertext comes from, and so why it may be decrypted, in the order of the numbers on
 * chain (contracts/interfaces/ICiphertextRegistry.sol):
 *
 * - `vouched`: a registrar answers for it;
 * - `lattice`, `kzg`: it is an encryption, by a proof of this kind (docs/input-proofs.md);
 * - `computed`: by a program from registered ciphertexts.
 */
export const origins = ['vouched', 'lattice', 'kzg', 'computed'] as const;

export type Origin = (typeof origins)[number];

/** The origins that anybody registers, by a proof. */
export type ProvenOrigin = Exclude<Origin, 'vouched'>;

/** The number that an origin has on chain. */
export function numberOfOrigin(origin: Origin): number {
  return origins.indexOf(origin);
}

/** The origin of this number, or undefined if there is none. */
export function originOf(number: number): Origin | undefined {
  return origins[number];
}
