import type { KeyEntry } from '../../chain/state.ts';
import { decryptionPlan } from '../../fhe/noise.ts';
import { parameterSets, type ParameterSet } from '../../ring/parameters.ts';
import { committeeOf, type Committee } from '../../sharing/committee.ts';
import { parameterSetId } from '../../sharing/ids.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { ChainState } from './chain-state.ts';

/**
 * The parameter set of a key, if it is known here and the chain says the same of it; and the committee.
 *
 * @throws OperatorError REQUEST_UNSERVABLE
 */
export function parametersOf(
  chain: ChainState,
  key: KeyEntry,
): { readonly set: ParameterSet; readonly committee: Committee } {
  const entry = chain.now.parameterSets.get(key.parameterSetId);
  const epoch = chain.now.epochs.get(key.epochId);
  const set = parameterSets.find((known) => parameterSetId(known) === key.parameterSetId);
  if (entry === undefined || epoch === undefined || set === undefined)
    throw new OperatorError(
      OperatorErrorCode.REQUEST_UNSERVABLE,
      'this operator does not know the parameter set',
      { metadata: { parameterSetId: key.parameterSetId, name: entry?.name } },
    );
  const committee = committeeOf(epoch.signers.length);
  const plan = decryptionPlan(set, committee);
  const { t } = committee;
  const same =
    entry.decryptionLimbs[t - 1] === plan.limbs &&
    entry.floodBits[t - 1] === plan.floodBits &&
    entry.maxNoiseBits[t - 1] === plan.maxNoiseBits &&
    entry.lambda === set.lambda;
  if (!same)
    throw new OperatorError(
      OperatorErrorCode.REQUEST_UNSERVABLE,
      'the decryption plan on chain is not the one computed here',
      { metadata: { set: set.name, n: committee.n, limbs: plan.limbs, floodBits: plan.floodBits } },
    );
  return { set, committee };
}
