import { bytesToHex, type Hex } from 'viem';

import type { Flaw } from '../../ceremony/flaw.ts';
import { stateHash, type PowersState } from '../../ceremony/state.ts';
import { askUntilAnswered, type SignedResult } from '../../net/results/index.ts';
import {
  decodeOffer,
  offerBytes,
  offerId,
  offerStatement,
  type OfferPlace,
} from '../ceremony/offers.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { isSignedBy, type OperatorContext } from '../context.ts';
import { askAll } from '../openings/asking.ts';
import { wrongContribution } from '../../protocols/evidence.ts';
import { keepEvidence } from './witness.ts';

/** How long peers are asked whether they have signed a wrong contribution, too. */
const ASK_MS = 60_000;

/** A contribution that a contract can see is wrong. */
export interface WrongOffer {
  readonly place: OfferPlace;
  readonly state: PowersState;
  readonly flaw: Flaw;
}

/**
 * Keeps a wrong contribution as evidence against its contributor, and against everybody who signed that
 * it was checked: they are asked for their signatures as for any other contribution.
 *
 * @param signature of the contributor; absent where somebody else handed it over
 */
export function witnessContribution(
  context: OperatorContext,
  seat: Place,
  { place, state, flaw }: WrongOffer,
  signature?: Hex,
): void {
  const keep = (index: number, theirs: Hex): void =>
    keepEvidence(
      context,
      seat,
      wrongContribution(
        { ...place, previous: stateHash(place.previous) },
        state,
        flaw,
        index,
        theirs,
      ),
    );
  if (signature !== undefined) keep(place.index, signature);
  void askSigners(context, seat, { place, state, flaw }, keep).catch((error: unknown) =>
    context.log.info({ err: error, state: stateHash(state) }, 'signers were not all asked'),
  );
}

async function askSigners(
  context: OperatorContext,
  seat: Place,
  { place, state }: WrongOffer,
  keep: (index: number, signature: Hex) => void,
): Promise<void> {
  const { host, stopping } = context;
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(ASK_MS)]);
  const question = { epochId: place.epochId, resultId: offerId(place) };
  const answers = askAll<SignedResult>(
    activePeers(seat),
    (peer, open) =>
      askUntilAnswered(host, peer.peerId, question, { signal: open, resultBytes: offerBytes }),
    signal,
  );
  for await (const { peer, value } of answers) {
    const offer = value && decodeOffer(value.result);
    if (value === undefined || offer === undefined) continue;
    if (stateHash(offer.state) !== stateHash(state)) continue;
    const statement = offerStatement(place, bytesToHex(value.result));
    if (await isSignedBy(context, seat, peer.index, statement, value.signature))
      keep(peer.index, value.signature);
  }
}
