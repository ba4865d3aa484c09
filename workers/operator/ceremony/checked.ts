import { hexToBytes, type Hex } from 'viem';

import { powersFileLimit } from '../../ceremony/file.ts';
import type { Beacon } from '../../ceremony/records.ts';
import { initialState, stateHash, type PowersState } from '../../ceremony/state.ts';
import { activePeers } from '../committee/seat.ts';
import { blame } from '../context.ts';
import { fetchBlob } from '../public/blobs.ts';
import { witnessContribution } from '../watchdog/contributions.ts';
import type { Held } from './ceremony.ts';
import type { Base, RefusedContribution } from './computer.ts';
import { offerId } from './offers.ts';
import { offerPlace } from './places.ts';
import { viewOf } from './view.ts';

/**
 * What the next contribution builds on, checked by this operator: the last one on chain, or generators.
 *
 * @returns undefined if the last contribution is wrong; that is kept as evidence where it is some
 * @throws OperatorError BLOB_UNAVAILABLE, COMPUTATION_FAILED, the signal's reason
 */
export async function baseOf(held: Held, signal: AbortSignal): Promise<Base | undefined> {
  const { context, chain, seat, ceremonyId } = held;
  const { contributions, power } = chain.now.ceremonies.get(ceremonyId)!;
  const last = contributions.at(-1);
  if (last === undefined) return { state: initialState(power), bytes: undefined };
  const { next: state, index } = last;
  noteFile(held, state.digest);
  const peerIds = activePeers(seat).map(({ peerId }) => peerId);
  const bytes = await fetchBlob(context, peerIds, state.digest, powersFileLimit(power), signal);
  if (context.checkedStates.has(stateHash(state))) return { state, bytes };
  // Others have checked and signed it; whoever signs what follows answers for it, too.
  const previous = contributions.at(-2)?.next ?? initialState(power);
  const beacon = index === 0 ? { beacon: await beaconOf(held) } : {};
  const task = { state, bytes, previous, ...beacon };
  const refused = await context.ceremonies.check(task, { signal });
  if (refused === undefined) {
    context.checkedStates.add(stateHash(state));
    return { state, bytes };
  }
  refuse(held, previous, index, state, refused);
  return undefined;
}

/**
 * Names whoever contributed what was refused, and sees to it that evidence is kept of all who signed it.
 *
 * @param signature of the contributor, if it was checked
 */
export function refuse(
  held: Held,
  previous: PowersState,
  index: number,
  state: PowersState,
  { code, message, flaw }: RefusedContribution,
  signature?: Hex,
): void {
  const { context, seat, ceremonyId } = held;
  const place = offerPlace(held, previous, index);
  context.log.error({ ceremonyId, index, code, reason: message }, 'a contribution is wrong');
  if (index !== 0) blame(context, seat, ceremonyId, offerId(place), index, code);
  if (flaw !== undefined) witnessContribution(context, seat, { place, state, flaw }, signature);
}

/** The beacon of the ceremony, which the contract has drawn. */
export async function beaconOf(held: Held): Promise<Beacon> {
  const { beacon } = await viewOf(held);
  const { beaconIterationsExp } = held.chain.now.ceremonies.get(held.ceremonyId)!;
  return { hash: hexToBytes(beacon), iterationsExp: beaconIterationsExp };
}

/** Keeps the file of a contribution, for peers and for what builds on it. */
export async function keepFile(held: Held, bytes: Uint8Array, digest: Hex): Promise<void> {
  noteFile(held, digest);
  await held.context.store.blobs.put(bytes);
}

/** Noted before it is kept: whatever is kept is also swept when the ceremony is over. */
function noteFile({ context, ceremonyId }: Held, digest: Hex): void {
  const { entries } = context.store;
  const noted = entries.list(ceremonyId);
  if (!noted.includes(digest)) entries.record(ceremonyId, noted.length, digest);
  context.offeredFiles.add(digest);
}

/** Drops the files of offers that came to nothing, and of contributions that were rolled back. */
export async function dropStaleFiles({ context, chain, ceremonyId }: Held): Promise<void> {
  const { store, offeredFiles } = context;
  const { contributions } = chain.now.ceremonies.get(ceremonyId)!;
  const standing = new Set(contributions.map(({ next }) => next.digest));
  for (const digest of store.entries.list(ceremonyId)) {
    if (standing.has(digest)) continue;
    offeredFiles.delete(digest);
    await store.blobs.remove(digest);
  }
}
