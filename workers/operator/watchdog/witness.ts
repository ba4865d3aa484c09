import type { Hex } from 'viem';

import type { Statement } from '../../chain/typed-data.ts';
import {
  equivocation,
  offenceId,
  signedResult,
  wrongShare,
  type Evidence,
  type SignedRoot,
} from '../../protocols/evidence.ts';
import type { Opening } from '../../protocols/opening.ts';
import { isKeyloomError } from '../../errors.ts';
import { SharingErrorCode } from '../../sharing/errors.ts';
import { openRobustly } from '../../sharing/opening.ts';
import type { CommittedOpening } from '../../store/openings.ts';
import type { TranscriptShare } from '../../store/transcripts.ts';
import { signerOf, type Place } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { certifiedRequest } from './certified.ts';

// What this operator has seen others sign, made into evidence and kept.

/**
 * Looks at all shares of an opening that the transcripts have, and keeps evidence of the wrong ones.
 *
 * They are what is there after a restart as well. Fewer than 2t+1 that agree prove nothing.
 */
export async function witnessShares(
  context: OperatorContext,
  seat: Place,
  opening: Opening,
): Promise<void> {
  const { transcripts } = context.store;
  const { epochId, committee } = seat.session;
  const shares = new Map<number, TranscriptShare>();
  for (const index of (await transcripts.list(opening.id))?.indices ?? []) {
    const share = await transcripts.get(opening.id, index);
    if (index <= committee.n && share?.epochId === epochId) shares.set(index, share);
  }
  if (shares.size <= committee.quorum) return;
  const residues = new Map([...shares].map(([index, share]) => [index, share.residues]));
  try {
    const { faulty, agreeing } = openRobustly(committee, opening.shape, residues);
    for (const index of faulty) {
      const evidence = wrongShare(epochId, opening, shares, agreeing, index);
      if (evidence !== undefined) keepEvidence(context, seat, evidence);
    }
  } catch (error) {
    if (!isKeyloomError(error, SharingErrorCode.TOO_FEW_AGREEING)) throw error;
  }
}

/** The same for an opening of an earlier process. */
export async function witnessCommitted(
  context: OperatorContext,
  seat: Place,
  { openingId, preimage }: CommittedOpening,
): Promise<void> {
  const own = await context.store.transcripts.get(openingId, seat.index);
  if (own === undefined) return;
  const { committee } = seat.session;
  await witnessShares(context, seat, { id: openingId, preimage, shape: own.shape, committee });
}

/** Keeps two roots of one operator for one opening. Both signatures have been checked. */
export function witnessRoots(
  context: OperatorContext,
  seat: Place,
  openingId: Hex,
  index: number,
  ...roots: readonly [SignedRoot, SignedRoot]
): void {
  const [first, second] = roots.map(({ root, signature }) => ({ root, signature }));
  const evidence = equivocation(seat.session.epochId, openingId, index, first, second);
  if (evidence !== undefined) keepEvidence(context, seat, evidence);
}

/**
 * Keeps a result that differs from ours until one is recorded.
 *
 * @param statement what was signed, with this result; the signature has been checked
 */
export function witnessResult(
  context: OperatorContext,
  seat: Place,
  statement: Statement,
  index: number,
  result: Hex,
  signature: Hex,
): void {
  const request = certifiedRequest(context.gateway, statement);
  if (request !== undefined)
    keepEvidence(context, seat, signedResult(request, index, result, signature));
}

/** Whatever goes wrong here or elsewhere, an operator never has evidence against itself. */
export function keepEvidence(context: OperatorContext, seat: Place, evidence: Evidence): void {
  const { store, account, log, evidenceKept } = context;
  const { kind, epochId, subject, index } = evidence;
  const operator = signerOf(seat, index);
  const about = { kind, epochId, subject, index, operator };
  if (operator === account.address) {
    log.error(about, 'this operator has signed what it should not: check this machine');
    return;
  }
  if (!store.evidence.keep(evidence)) return;
  log.warn({ ...about, offenceId: offenceId(evidence) }, 'evidence against a peer');
  evidenceKept.wake();
}
