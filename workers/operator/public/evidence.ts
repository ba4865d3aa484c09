import type { Address, Hex } from 'viem';

import type { Evidence } from '../../protocols/evidence.ts';
import type { EvidenceStanding } from '../../store/evidence.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';

/** Evidence that is listed at once. */
const LISTED = 256;

/** Evidence as anybody may see it. */
export interface PublicStanding extends EvidenceStanding {
  /** Account of the accused operator. */
  readonly operator: Address | undefined;
}

/** The same, with all that it takes to submit it. */
export interface PublicEvidence extends PublicStanding {
  readonly chainId: bigint;
  /** Contract that takes it. */
  readonly slashingManager: Address;
  readonly evidence: Evidence;
}

type Sources = readonly [context: OperatorContext, chain: ChainState];

/** The latest evidence, newest first. */
export function listEvidence(...[context, chain]: Sources): PublicStanding[] {
  return context.store.evidence.list(LISTED).map((standing) => named(chain, standing));
}

/** @throws OperatorError NOT_FOUND */
export function findEvidence(...[context, chain, offenceId]: [...Sources, Hex]): PublicEvidence {
  const { store, gateway } = context;
  const kept = store.evidence.get(offenceId);
  if (kept === undefined)
    throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'there is no evidence of this offence');
  const { chainId, contracts } = gateway;
  return { ...named(chain, kept), chainId, slashingManager: contracts.slashingManager.address };
}

function named<Standing extends EvidenceStanding>(
  chain: ChainState,
  standing: Standing,
): Standing & PublicStanding {
  const epoch = chain.now.epochs.get(standing.epochId);
  return { ...standing, operator: epoch?.operators[standing.index - 1] };
}
