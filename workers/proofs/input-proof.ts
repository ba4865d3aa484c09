import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import type { ProofContext } from './context.ts';
import type { EncryptionKey } from './key.ts';
import type { CrsKey } from './kzg/crs.ts';
import { kzgNoise } from './kzg/noise.ts';
import { verifyKzg } from './kzg/verify.ts';
import { provedNoise } from './lattice/noise.ts';
import { verify as verifyLattice } from './lattice/verify.ts';

/** What is proved: `registered` is an encryption to `key`; of a lattice proof its double. */
export interface InputStatement {
  readonly key: EncryptionKey;
  /** SEAL's uncompressed Ciphertext object, at the first level. */
  readonly registered: Uint8Array;
  readonly context: ProofContext;
}

/** A proof that a registered ciphertext is an encryption, with what its kind needs besides. */
export type InputProof =
  | { readonly kind: 'lattice'; readonly proof: Uint8Array }
  | { readonly kind: 'kzg'; readonly proof: Uint8Array; readonly crs: CrsKey };

/**
 * Checks a proof of any kind that anybody may have made: resolves if it proves the statement, and only
 * then. The ciphertext has to be counted with `inputNoise`.
 *
 * @throws ProofError, FheError: the codes of the kind's own verifier
 */
export async function verifyInputProof(
  statement: InputStatement,
  input: InputProof,
): Promise<void> {
  if (input.kind === 'lattice') return verifyLattice(statement, input.proof);
  return verifyKzg(statement, input.crs, input.proof);
}

/**
 * The noise that a proof of this kind guarantees, at the first level under a key of the committee.
 *
 * @throws ProofError the codes of the kind's parameters
 */
export function inputNoise(
  kind: InputProof['kind'],
  set: ParameterSet,
  committee: Committee,
): bigint {
  return kind === 'lattice' ? provedNoise(set, committee) : kzgNoise(set, committee);
}
