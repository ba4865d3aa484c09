import type { Hex } from 'viem';

import { recoverSigner } from '../../chain/typed-data.ts';
import { register as registerBlobs } from '../../net/blobs/index.ts';
import { register as registerCombinations } from '../../net/combinations/index.ts';
import { register as registerCommitments } from '../../net/commitments/index.ts';
import { Refusal, RefusalCode } from '../../net/exchange/index.ts';
import { register as registerResults } from '../../net/results/index.ts';
import { register as registerSetup } from '../../net/setup/index.ts';
import { register as registerShares } from '../../net/shares/index.ts';
import { register as registerValues } from '../../net/values/index.ts';
import { register as registerViews } from '../../net/views/index.ts';
import { servableSeeds } from '../../sharing/dealing.ts';
import type { HeldRoot } from '../../store/transcripts.ts';
import { resultKey } from '../duties/certify.ts';
import { Slots } from '../duties/slots.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext, PublishedShare } from '../context.ts';
import { indexIn, membershipIn } from '../committee/membership.ts';
import type { Place } from '../committee/seat.ts';
import { heldDealing, seedRequest } from '../committee/set-up.ts';
import { signView, viewKey } from '../chain-view/views.ts';
import { rootsOf } from '../watchdog/compare.ts';
import { collectShares } from './collect.ts';
import { publishedShare, residuesOf } from './own-shares.ts';

const unknown = new Refusal(RefusalCode.unknown);
const forbidden = new Refusal(RefusalCode.forbidden);
const busy = new Refusal(RefusalCode.busy);

/** Values that are collected for one peer at once, and combinations that are computed. */
const VALUES_PER_PEER = 8;
const COMBINATIONS_PER_PEER = 2;
/** Blobs that are read for one peer at once: each is hashed before its first byte is sent. */
const BLOBS_PER_PEER = 8;
/** Questions about commitments that are answered to one peer at once: each reads some 400 files. */
const COMPARISONS_PER_PEER = 1;
/** For how long a place among them is its own. */
const LEASE_MS = 60_000;

/** Places of each peer. */
function slotsPerPeer(count: number): (peerId: string) => Slots {
  const slots = new Map<string, Slots>();
  return (peerId) => {
    const known = slots.get(peerId) ?? new Slots(count, LEASE_MS);
    slots.set(peerId, known);
    return known;
  };
}

/** What the answering side looks up. */
export interface AnswerSources {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  /**
   * The place in an epoch, once there is one. Peers may be ahead in the chain, and a refusal would be
   * final: so their questions wait.
   */
  place(epochId: Hex, signal: AbortSignal): Promise<Place>;
}

/** Answers the peers' questions on all protocols. Each asker is authenticated by its connection. */
export async function answerPeers(sources: AnswerSources): Promise<void> {
  const { context, chain } = sources;
  const { host, boards, store } = context;
  const asker = (seat: Place, peerId: string): number | undefined =>
    seat.peers.find((peer) => peer.peerId === peerId)?.index;

  await registerSetup(host, async (peerId, { proposalId, dealer, signature }) => {
    const proposal = chain.now.proposals.get(proposalId);
    if (proposal === undefined || !['proposed', 'frozen', 'active'].includes(proposal.phase))
      return unknown;
    const membership = membershipIn(proposal, context.account.address);
    // Not by the peer ids of the registry: an endpoint could invent those, the signers it cannot.
    const request = seedRequest(proposalId, peerId);
    const signer = await recoverSigner(context.gateway, request, signature).catch(() => undefined);
    const requester = signer && indexIn(proposal, signer);
    if (membership === undefined || requester === undefined) return forbidden;
    // Who has confirmed holds everything; whoever asks in its name afterwards is not it.
    const epoch =
      proposal.epochId === undefined ? undefined : chain.now.epochs.get(proposal.epochId);
    if (epoch?.confirmations.has(requester)) return forbidden;
    if (dealer > membership.committee.n) return unknown;
    const held = heldDealing(context, proposalId, dealer);
    if (held === undefined) return unknown;
    const seeds = servableSeeds(membership.committee, requester, dealer, held.seeds);
    return { hashes: held.hashes, seeds };
  });

  await registerViews(host, async (peerId, { epochId, height }, signal) => {
    const seat = await sources.place(epochId, signal);
    if (asker(seat, peerId) === undefined) return forbidden;
    const key = viewKey(epochId, height);
    while (boards.views.get(key) === undefined) {
      const block = chain.block(height);
      if (block !== undefined) {
        const signed = await signView(context, seat, block);
        // A reorganisation may have come in between.
        if (chain.block(height) === block) boards.views.publish(key, signed);
      }
      // A later block with logs has been read: this height has none here.
      else if (chain.height > height) return unknown;
      else await chain.change(signal);
    }
    return boards.views.get(key)!;
  });

  await registerShares(host, async (peerId, { epochId, openingId }, signal) => {
    const seat = await sources.place(epochId, signal);
    const to = asker(seat, peerId);
    if (to === undefined) return forbidden;
    const own = await publishedShare(context, seat, openingId, signal);
    return context.answering.share(context, own, await residuesOf(context, own), to, signal);
  });

  /**
   * True of an opening that is over: nothing pending needs it, and without the shares of 2t+1 here it
   * would have to be collected anew. A peer could have that done with all that ever was.
   */
  const isOver = async ({ seat, subject, opening }: PublishedShare): Promise<boolean> => {
    if (chain.pending.has(subject) || context.values.get(opening.id) !== undefined) return false;
    const held = (await store.transcripts.list(opening.id))?.indices ?? [];
    return held.length < seat.session.committee.quorum;
  };

  // Every operator is opener to whoever asks it: it collects the shares if it has not yet.
  const valueSlots = slotsPerPeer(VALUES_PER_PEER);
  await registerValues(host, async (peerId, { epochId, openingId }, signal) => {
    const seat = await sources.place(epochId, signal);
    const to = asker(seat, peerId);
    if (to === undefined) return forbidden;
    const own = await publishedShare(context, seat, openingId, signal);
    if (await isOver(own)) return unknown;
    const value = await valueSlots(peerId).run(signal, () =>
      context.values.obtain(
        openingId,
        (open) => collectShares(context, seat, own.subject, own.opening, open),
        signal,
      ),
    );
    return context.answering.value(context, own, value, to, signal);
  });

  const combinationSlots = slotsPerPeer(COMBINATIONS_PER_PEER);
  await registerCombinations(host, async (peerId, question, signal) => {
    const { epochId, openingId, valueDigest } = question;
    const seat = await sources.place(epochId, signal);
    const to = asker(seat, peerId);
    if (to === undefined) return forbidden;
    const own = await publishedShare(context, seat, openingId, signal);
    const combinations = await combinationSlots(peerId).run(signal, () =>
      context.combinations.answer(context, own, valueDigest, to),
    );
    if (combinations === undefined) return busy;
    return context.answering.combinations(context, own, combinations, to, signal);
  });

  await registerResults(host, async (peerId, { epochId, resultId }, signal) => {
    const seat = await sources.place(epochId, signal);
    const to = asker(seat, peerId);
    if (to === undefined) return forbidden;
    const own = await boards.results.wait(resultKey(epochId, resultId), signal);
    return context.answering.result(context, own, to, signal);
  });

  const comparisonSlots = slotsPerPeer(COMPARISONS_PER_PEER);
  await registerCommitments(host, async (peerId, { epochId, openingIds }, signal) => {
    const seat = await sources.place(epochId, signal);
    if (asker(seat, peerId) === undefined) return forbidden;
    return comparisonSlots(peerId).run(signal, async () => {
      const held: HeldRoot[][] = [];
      for (const openingId of openingIds) held.push(await rootsOf(context, seat, openingId));
      return held;
    });
  });

  const blobSlots = slotsPerPeer(BLOBS_PER_PEER);
  await registerBlobs(host, async (peerId, digest, signal) => {
    const isNamed = chain.publicDigests.has(digest) || context.offeredFiles.has(digest);
    if (!isNamed || !(await store.blobs.has(digest))) return unknown;
    return blobSlots(peerId).run(signal, () => store.blobs.read(digest));
  });
}
