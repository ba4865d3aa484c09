import { bytesToHex, type Hex } from 'viem';

import { noRecords } from '../../ceremony/records.ts';
import { initialState, stateHash } from '../../ceremony/state.ts';
import { powersFileLimit, recordsOf } from '../../ceremony/file.ts';
import { crsManagerAbi } from '../../chain/abi.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { ask as askForBlob } from '../../net/blobs/index.ts';
import { askUntilAnswered } from '../../net/results/index.ts';
import { blame, isSignedBy } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { collectQuorum, waitForTurn } from '../duties/certify.ts';
import { measured } from '../observing.ts';
import { aborted, unlessAborted } from '../waiting.ts';
import type { Held } from './ceremony.ts';
import { baseOf, beaconOf, keepFile, refuse } from './checked.ts';
import type { Base, CheckTask, ContributionTask, MadeContribution } from './computer.ts';
import {
  decodeOffer,
  encodeOffer,
  offerBytes,
  offerId,
  offerStatement,
  type Offer,
  type OfferPlace,
} from './offers.ts';
import { offerPlace, proofPlace } from './places.ts';
import { viewOf } from './view.ts';

/** Makes the contribution of this operator, in its slot, and has it recorded. */
export async function contribute(held: Held, signal: AbortSignal): Promise<void> {
  const { context, seat, made } = held;
  const base = await baseOf(held, signal);
  if (base === undefined) return;
  const task = { place: proofPlace(held, seat.index), base };
  const id = offerId(offerPlace(held, base.state, seat.index));
  const mine =
    made.get(id) ??
    (await context.answering.contribution(context, task, (honest) =>
      compute(held, honest, signal),
    ));
  if (mine === undefined) return;
  made.clear();
  made.set(id, mine);
  await offer(held, task, mine, signal);
}

/** The contribution of the beacon, which all operators compute alike. */
export async function contributeBeacon(held: Held, signal: AbortSignal): Promise<void> {
  const base = await baseOf(held, signal);
  if (base === undefined) return;
  const task = { place: proofPlace(held, 0), base, beacon: await beaconOf(held) };
  await offer(held, task, await compute(held, task, signal), signal);
}

/**
 * Computes a contribution, and checks it as those of others are checked: it is signed, and a fault of
 * this machine's memory would cost the bond.
 *
 * @throws OperatorError COMPUTATION_FAILED
 */
async function compute(
  { context, ceremonyId }: Held,
  task: ContributionTask,
  signal: AbortSignal,
): Promise<MadeContribution> {
  const { ceremonies, progress } = context;
  progress.advance(ceremonyId, 'contributing');
  const made = await measured(context, ceremonyId, 'contribute', () =>
    ceremonies.contribute(task, {
      signal,
      onProgress: (done, total) => progress.count(ceremonyId, done, total),
    }),
  );
  const { bytes, state, proof } = made;
  const { place, base, beacon } = task;
  const own = {
    bytes,
    state,
    ...(beacon && { beacon }),
    proven: { proof, place },
    ...before(base),
  };
  const refused = await measured(context, ceremonyId, 'check', () =>
    ceremonies.check(own, { signal }),
  );
  if (refused === undefined) return made;
  throw new OperatorError(
    OperatorErrorCode.COMPUTATION_FAILED,
    'what this operator has computed is wrong: check this machine',
    { metadata: { code: refused.code } },
  );
}

/** What a contribution is checked against. */
function before({ state, bytes }: Base): Pick<CheckTask, 'previous' | 'records'> {
  const records = bytes === undefined ? noRecords : recordsOf(bytes, state.power);
  return { previous: state, records };
}

async function offer(
  held: Held,
  { base, place }: ContributionTask,
  { bytes, state, proof }: MadeContribution,
  signal: AbortSignal,
): Promise<void> {
  held.context.checkedStates.add(stateHash(state));
  await keepFile(held, bytes, state.digest);
  await record(held, offerPlace(held, base.state, place.index), { state, proof }, signal);
}

/**
 * Waits for what the member offers whose slot it is, checks all of it, and has it recorded.
 *
 * One that offers nothing loses its slot and nothing else; what is wrong and signed is kept as evidence
 * where a contract can see it.
 *
 * @throws errors of the network and the computation, the signal's reason: ask again, the slot is the limit
 */
export async function checkContribution(
  held: Held,
  index: number,
  signal: AbortSignal,
): Promise<void> {
  const { context, chain, seat, ceremonyId } = held;
  const { host, progress } = context;
  const base = await baseOf(held, signal);
  if (base === undefined) return;
  progress.advance(ceremonyId, 'checking');
  progress.waitFor(ceremonyId, [index]);
  const peer = seat.peers.find((one) => one.index === index);
  if (peer === undefined) return aborted(signal);

  const place = offerPlace(held, base.state, index);
  const { epochId } = place;
  const resultId = offerId(place);
  const question = { epochId, resultId };
  const answer = { signal, resultBytes: offerBytes };
  const { result, signature } = await askUntilAnswered(host, peer.peerId, question, answer);
  const offered = decodeOffer(result);
  const statement = (): Statement => offerStatement(place, bytesToHex(result));
  if (offered === undefined || !(await isSignedBy(context, seat, index, statement(), signature)))
    return blame(context, seat, ceremonyId, resultId, index, 'OFFER_INVALID');

  const { state } = offered;
  const { power } = chain.now.ceremonies.get(ceremonyId)!;
  const maxBytes = powersFileLimit(power);
  const bytes = await askForBlob(host, peer.peerId, state.digest, { signal, maxBytes });
  const proven = { proof: offered.proof, place: proofPlace(held, index) };
  const task = { state, bytes, proven, ...before(base) };
  const refused = await measured(context, ceremonyId, 'check', () =>
    context.ceremonies.check(task, { signal }),
  );
  if (refused !== undefined) return refuse(held, base.state, index, state, refused, signature);
  context.checkedStates.add(stateHash(state));
  await keepFile(held, bytes, state.digest);
  await record(held, place, offered, signal);
}

/** Signs an offer that was checked, collects the signatures of the others, and sends it. */
async function record(
  held: Held,
  place: OfferPlace,
  offered: Offer,
  signal: AbortSignal,
): Promise<void> {
  const { context, chain, seat, ceremonyId } = held;
  const { gateway, sender, progress, boards, log } = context;
  const { index, previous } = place;
  const { state, proof } = offered;
  const id = offerId(place);
  progress.advance(ceremonyId, 'certifying');
  try {
    const bytes = encodeOffer(offered);
    const statement = (result: Hex) => offerStatement(place, result);
    const quorum = await measured(context, ceremonyId, 'certify', () =>
      collectQuorum(context, seat, id, bytes, statement, signal),
    );
    progress.advance(ceremonyId, 'submitting');
    await waitForTurn(context, seat, id, signal);
    const { contributions, power } = chain.now.ceremonies.get(ceremonyId)!;
    const before = contributions.at(-1)?.next ?? initialState(power);
    const { signerBitmap, signatures } = quorum;
    const call = {
      ...{ address: gateway.contracts.crsManager.address, abi: crsManagerAbi },
      functionName: 'contribute',
      args: [ceremonyId, index, before, state, proof, signerBitmap, signatures],
    } as const;
    const isOver = async () => (await viewOf(held)).stateHash !== stateHash(previous);
    const sent = sender.submit(`contribution/${id}/${stateHash(state)}`, call, isOver);
    await measured(context, ceremonyId, 'submit', () => unlessAborted(sent, signal));
    log.info({ ceremonyId, index, state: stateHash(state) }, 'contribution recorded');
  } finally {
    boards.results.release(id);
  }
}
