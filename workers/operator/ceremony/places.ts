import type { ContributionPlace } from '../../ceremony/proof.ts';
import type { PowersState } from '../../ceremony/state.ts';
import type { Held } from './ceremony.ts';
import type { OfferPlace } from './offers.ts';

/** The place of a contribution of this ceremony behind a state. */
export function offerPlace(
  { seat, ceremonyId }: Held,
  previous: PowersState,
  index: number,
): OfferPlace {
  return { epochId: seat.session.epochId, ceremonyId, previous, index };
}

/** What a proof of knowledge is bound to, beside the states. */
export function proofPlace({ context, ceremonyId }: Held, index: number): ContributionPlace {
  const { chainId, contracts } = context.gateway;
  return { chainId, crsManager: contracts.crsManager.address, ceremonyId, index };
}
