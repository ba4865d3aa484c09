import type { Hex } from 'viem';

import type { PowersState } from '../../ceremony/state.ts';
import type { GatewayState } from '../../chain/state.ts';
import { ProofError } from '../../proofs/errors.ts';
import { crsDigestOf } from '../../proofs/kzg/crs.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { recordedPowers } from './facts.ts';

/**
 * The powers of tau that a kzg proof names, of the key's own committee.
 *
 * @throws OperatorError CRS_UNUSABLE, PROOF_REFUSED
 */
export function powersOf(
  state: GatewayState,
  epochId: Hex,
  set: ParameterSet,
  proof: Uint8Array,
): PowersState {
  const digest = named(set, proof);
  const powers = recordedPowers(state, epochId).find((one) => one.digest === digest);
  if (powers !== undefined) return powers;
  throw new OperatorError(
    OperatorErrorCode.CRS_UNUSABLE,
    'the proof was made with powers of tau that the key’s committee has not recorded, or that were revoked',
    { metadata: { digest } },
  );
}

function named(set: ParameterSet, proof: Uint8Array): Hex {
  try {
    return crsDigestOf(set, proof);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    const { code, message, metadata } = error;
    throw new OperatorError(OperatorErrorCode.PROOF_REFUSED, `${message} (${code})`, {
      metadata: { ...metadata, cause: code },
    });
  }
}
