import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hex } from 'viem';

import type { Opening, Part, Secrets } from '../../protocols/opening.ts';
import type { RnsVector } from '../../ring/basis.ts';
import { commitShare } from '../../sharing/commitment.ts';
import { committeeOf } from '../../sharing/committee.ts';
import type { Place } from '../committee/seat.ts';
import { sign, type OperatorContext, type PublishedShare } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';

export const shareKey = (epochId: Hex, openingId: Hex): string => `${epochId}/${openingId}`;

/** What an operator signs for a share with this root. */
export const commitment = (epochId: Hex, openingId: Hex, root: Hex) => ({
  type: 'ShareCommitment' as const,
  message: { epochId, openingId, root },
});

/**
 * Commits to the own share and offers it to the peers.
 *
 * (openingId, root) is durable before the signature exists, so an operator that computes something
 * else after a crash stops with OPENING_CONFLICT instead of equivocating. The share is in the
 * transcripts before a peer can have it; nothing else holds it for the peers.
 *
 * @param subject key or request that is served: the share is held for it
 */
export async function offerShare(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  share: RnsVector,
): Promise<void> {
  const { store, boards } = context;
  const { epochId } = seat.session;
  const { id, preimage, shape } = opening;
  const root = commitShare(share);
  store.openings.commit({ openingId: id, epochId, preimage }, root);
  const signature = await sign(context, commitment(epochId, id, root));
  await store.transcripts.put(id, seat.index, { epochId, root, signature, shape, residues: share });
  boards.shares.publish(shareKey(epochId, id), { seat, subject, opening, signature }, subject);
}

/**
 * Offers the shares of a part again that a power cut has taken, for a part whose result is there.
 *
 * Only those of its first round: what comes after depends on what the others open.
 */
export async function restoreShares(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  part: Part<unknown>,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<void> {
  const round = part.next();
  if (round.done === true) return;
  for (const { opening, share } of round.value) {
    await nextTurn(undefined, { signal });
    if ((await context.store.transcripts.get(opening.id, seat.index)) !== undefined) continue;
    await offerShare(context, seat, subject, opening, share(secrets));
  }
}

/**
 * The own share of an opening, as soon as there is one. Rejects with the signal's reason.
 *
 * One that was offered before the process started is known from the transcripts: what is there has
 * been agreed on.
 */
export async function publishedShare(
  context: OperatorContext,
  seat: Place,
  openingId: Hex,
  signal: AbortSignal,
): Promise<PublishedShare> {
  const { store, boards } = context;
  const { epochId, committee } = seat.session;
  const key = shareKey(epochId, openingId);
  const published = boards.shares.get(key);
  if (published !== undefined) return published;
  const kept = await store.transcripts.get(openingId, seat.index);
  const committed = store.openings.get(openingId);
  if (kept?.epochId !== epochId || committed === undefined) return boards.shares.wait(key, signal);
  const { preimage } = committed;
  const opening = {
    id: openingId,
    preimage,
    shape: kept.shape,
    committee: committeeOf(committee.n),
  };
  return { seat, subject: openingId, opening, signature: kept.signature };
}

/** The residues of a published share. @throws OperatorError SHARE_UNAVAILABLE */
export async function residuesOf(
  { store }: OperatorContext,
  { seat, opening }: PublishedShare,
): Promise<RnsVector> {
  const kept = await store.transcripts.get(opening.id, seat.index);
  if (kept !== undefined) return kept.residues;
  // The job that published it computes it again when it is run again.
  throw new OperatorError(
    OperatorErrorCode.SHARE_UNAVAILABLE,
    'the share is no longer among the transcripts',
    { metadata: { openingId: opening.id } },
  );
}
