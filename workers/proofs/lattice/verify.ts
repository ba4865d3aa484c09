import type { Basis } from '../../ring/basis.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { commitmentsOf } from './commitments.ts';
import { parseProof } from './format.ts';
import { digestOf, exponentsOf, firstLevel, prepare } from './statement.ts';
import type { PreparedStatement, Statement } from './statement.ts';

/**
 * Checks a proof that anybody may have made: resolves if it proves the statement, and only then.
 *
 * What is known afterwards is that somebody knew u', e1' and w' with 2·c1 = a·u' + e1' and
 * 2·t·c0 = t·b·u' + w', of the norms in docs/input-proofs.md: count with `provedNoise`, never with that
 * of an honest encryption.
 *
 * @param proof any bytes
 * @throws ProofError LENGTH_INVALID, RESPONSE_OUT_OF_RANGE, RESPONSE_TOO_LONG, DIGEST_MISMATCH; the codes
 * of `prepare`
 */
export async function verify(statement: Statement, proof: Uint8Array): Promise<void> {
  return checkProof(await prepare(statement), proof);
}

/**
 * `verify` for a prepared statement.
 *
 * @param basis of the first level
 */
export async function checkProof(
  prepared: PreparedStatement,
  proof: Uint8Array,
  basis: Basis = firstLevel(prepared.parameters),
): Promise<void> {
  const { parameters, equations } = prepared;
  const { digest, responses } = parseProof(parameters, proof);
  const exponents = exponentsOf(parameters, digest);
  const commitments = commitmentsOf(basis, parameters, equations, responses, exponents);
  const expected = await digestOf(prepared, commitments);
  if (expected.some((byte, i) => byte !== digest[i])) {
    throw new ProofError(ProofErrorCode.DIGEST_MISMATCH, 'not a proof of this statement');
  }
}
