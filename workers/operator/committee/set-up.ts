import { randomBytes } from 'node:crypto';
import { bytesToHex, type Hex } from 'viem';

import { epochManagerAbi } from '../../chain/abi.ts';
import type { EpochEntry } from '../../chain/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { isKeyloomError } from '../../errors.ts';
import { peerIdToBytes } from '../../net/host/index.ts';
import { codec } from '../../net/setup/codec.ts';
import {
  ask,
  askUntilAnswered,
  type DealingPart,
  type SetupQuestion,
} from '../../net/setup/index.ts';
import { setsContaining } from '../../sharing/committee.ts';
import {
  createDealing,
  dealingRoot,
  verifyDealing,
  verifyDealingHashes,
  verifySeed,
} from '../../sharing/dealing.ts';
import { deriveSetKeys } from '../../sharing/setup.ts';
import { askAll } from '../openings/asking.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import { sign, type OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Membership } from './membership.ts';
import { encodeSetKeys, secretName, type Peer } from './seat.ts';
import { pause, unlessAborted } from '../waiting.ts';

/** Pause before missing seeds are asked for again. */
const MISSING_SEEDS_PAUSE_MS = 1_000;

/** Members of the contract's `EpochPhase`. */
const PROPOSED = 1;

const bit = (index: number): bigint => 1n << BigInt(index - 1);

/** What this operator keeps of a dealing: all hashes, and the seeds it may know. */
export function heldDealing(
  context: OperatorContext,
  proposalId: Hex,
  dealer: number,
): DealingPart | undefined {
  const kept = context.store.secrets.get(secretName.seeds(proposalId, dealer));
  return kept && codec.decodeAnswer(kept, {});
}

/** True if the dealing that is kept is the one behind `root`: after a reorganisation it may not be. */
function isHeld(context: OperatorContext, proposalId: Hex, dealer: number, root: Hex): boolean {
  const held = heldDealing(context, proposalId, dealer);
  return held !== undefined && dealingRoot(held.hashes) === root;
}

/** Keeps a verified dealing in place of one that is behind another root. */
function keep(context: OperatorContext, proposalId: Hex, dealer: number, part: DealingPart): void {
  const { secrets } = context.store;
  secrets.replace(secretName.seeds(proposalId, dealer), codec.encodeAnswer(part));
}

/** What an operator signs to be given seeds: that this peer id acts for it in this proposal. */
export function seedRequest(proposalId: Hex, peerId: string): Statement {
  const message = { proposalId, peerId: bytesToHex(peerIdToBytes(peerId)) };
  return { type: 'SeedRequest', message };
}

async function setupQuestion(
  context: OperatorContext,
  proposalId: Hex,
  dealer: number,
): Promise<SetupQuestion> {
  const signature = await sign(context, seedRequest(proposalId, context.host.peerId));
  return { proposalId, dealer, signature };
}

/**
 * Takes part in the set-up of a proposed epoch until it is frozen or abandoned: deals, takes the
 * others' dealings, and acknowledges those that are complete. See docs/sharing.md.
 */
export async function dealAndAcknowledge(
  context: OperatorContext,
  chain: ChainState,
  membership: Membership,
  proposalId: Hex,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const open = AbortSignal.any([signal, over.signal]);
  let acknowledged = Promise.resolve();
  const acknowledge = (): Promise<void> =>
    (acknowledged = acknowledged.then(() =>
      acknowledgeHeld(context, membership, proposalId, open),
    ));

  const closed = proposalClosed(chain, proposalId, open);
  const work = Promise.all([
    deal(context, membership, proposalId, open).then(acknowledge),
    ...membership.peers.map((dealer) =>
      take(context, chain, membership, proposalId, dealer, open).then(acknowledge),
    ),
  ]);
  try {
    // Work that is all done waits for the freeze; work that fails ends this attempt.
    await Promise.race([closed, work.then(() => closed)]);
  } finally {
    over.abort(new OperatorError(OperatorErrorCode.STOPPED, 'the set-up is over'));
    await Promise.allSettled([closed, work, acknowledged]);
  }
}

async function proposalClosed(
  chain: ChainState,
  proposalId: Hex,
  signal: AbortSignal,
): Promise<void> {
  while (chain.now.proposals.get(proposalId)?.phase === 'proposed') await chain.change(signal);
}

/** Draws this operator's seeds, once and for good, and posts their root. */
async function deal(
  context: OperatorContext,
  { committee, index }: Membership,
  proposalId: Hex,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, account, log } = context;
  const proposal = await gateway.contracts.epochManager.read.proposal([proposalId]);
  if (BigInt(proposal.roots[index - 1] ?? 0) !== 0n) return;
  let held = heldDealing(context, proposalId, index);
  if (held === undefined) {
    // Durable before the root is posted: seeds behind a posted root must never be drawn again.
    held = createDealing(committee, proposalId, index, randomBytes);
    keep(context, proposalId, index, held);
  }
  const root = dealingRoot(held.hashes);
  await unlessAborted(
    sender.submit(
      `deal/${proposalId}`,
      {
        address: gateway.addresses.epochManager,
        abi: epochManagerAbi,
        functionName: 'postDealing',
        args: [proposalId, root],
      },
      async () => {
        const { phase, signers, roots } = await gateway.contracts.epochManager.read.proposal([
          proposalId,
        ]);
        const position = signers.indexOf(account.address);
        return phase !== PROPOSED || BigInt(roots[position] ?? 0) !== 0n;
      },
    ),
    signal,
  );
  log.info({ proposalId, root }, 'dealing posted');
}

/** Takes one dealer's seeds and hashes, once its root is on chain. A bad dealing is left aside. */
async function take(
  context: OperatorContext,
  chain: ChainState,
  { committee, index }: Membership,
  proposalId: Hex,
  dealer: Peer,
  signal: AbortSignal,
): Promise<void> {
  const { host, log } = context;
  let root: Hex | undefined;
  while ((root = chain.now.proposals.get(proposalId)?.roots.get(dealer.index)) === undefined)
    await chain.change(signal);
  if (isHeld(context, proposalId, dealer.index, root)) return;
  try {
    const question = await setupQuestion(context, proposalId, dealer.index);
    const part = await askUntilAnswered(host, dealer.peerId, question, { signal });
    verifyDealing(committee, proposalId, dealer.index, root, part.hashes, part.seeds, index);
    keep(context, proposalId, dealer.index, part);
  } catch (error) {
    signal.throwIfAborted();
    if (!isKeyloomError(error)) throw error;
    // No complaint and no penalty: that the seeds were late cannot be told from malice. The dealer
    // stands without this acknowledgement, or it does not.
    log.warn({ proposalId, dealer: dealer.index, err: error }, 'dealing not acknowledged');
  }
}

/** Acknowledges on chain every complete dealing that is not acknowledged yet. */
async function acknowledgeHeld(
  context: OperatorContext,
  { index, committee }: Membership,
  proposalId: Hex,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, log } = context;
  const read = () => gateway.contracts.epochManager.read.proposal([proposalId]);
  const { phase, roots, acknowledgements } = await read();
  if (phase !== PROPOSED) return;
  let dealers = 0n;
  for (let dealer = 1; dealer <= committee.n; dealer++) {
    const done = (acknowledgements[dealer - 1] & bit(index)) !== 0n;
    if (!done && isHeld(context, proposalId, dealer, roots[dealer - 1])) dealers |= bit(dealer);
  }
  if (dealers === 0n) return;
  await unlessAborted(
    sender.submit(
      `acknowledge/${proposalId}/${dealers.toString(16)}`,
      {
        address: gateway.addresses.epochManager,
        abi: epochManagerAbi,
        functionName: 'acknowledge',
        args: [proposalId, dealers],
      },
      async () => {
        const now = await read();
        const missing = now.acknowledgements.some(
          (members, position) => dealers & bit(position + 1) && !(members & bit(index)),
        );
        return now.phase !== PROPOSED || !missing;
      },
    ),
    signal,
  );
  log.info({ proposalId, dealers: dealers.toString(2) }, 'dealings acknowledged');
}

/**
 * Completes a frozen set-up: pulls the seeds that are still missing, derives the set keys, keeps them
 * and confirms on chain.
 *
 * At least t+1 honest operators hold all of a standing dealer's seeds that they should, so one of
 * them is in each set and answers for it. From the confirmation on, nobody gives this operator seeds
 * again: who steals its identity alone gets no keys.
 */
export async function completeSetUp(
  context: OperatorContext,
  membership: Membership,
  epoch: EpochEntry,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, store, log } = context;
  const { committee, index } = membership;
  const { epochId, proposalId, setupDigest, standing } = epoch;
  if (!store.secrets.has(secretName.setKeys(epochId))) {
    for (const dealer of standing) await pullDealing(context, membership, epoch, dealer, signal);
    const dealings = new Map(
      standing.map((dealer) => [dealer, heldDealing(context, proposalId, dealer)!.seeds]),
    );
    const keys = deriveSetKeys(committee, index, setupDigest, standing, (dealer, setNumber) =>
      dealings.get(dealer)?.get(setNumber),
    );
    store.secrets.put(secretName.setKeys(epochId), encodeSetKeys(keys));
    log.info({ epochId, index, sets: keys.size }, 'set keys complete');
  }
  await unlessAborted(
    sender.submit(
      `confirm/${epochId}`,
      {
        address: gateway.addresses.epochManager,
        abi: epochManagerAbi,
        functionName: 'confirm',
        args: [epochId],
      },
      async () => {
        const { confirmations } = await gateway.contracts.epochManager.read.epoch([epochId]);
        return (confirmations & bit(index)) !== 0n;
      },
    ),
    signal,
  );
  log.info({ epochId, index }, 'epoch confirmed');
}

/** Gets a standing dealer's seeds from whoever has them; nothing happens if they are held. */
async function pullDealing(
  context: OperatorContext,
  { committee, index, peers }: Membership,
  { proposalId, roots }: EpochEntry,
  dealer: number,
  signal: AbortSignal,
): Promise<void> {
  const root = roots.get(dealer)!;
  if (isHeld(context, proposalId, dealer, root)) return;
  const wanted = setsContaining(committee, dealer, index);
  const seeds = new Map<number, Uint8Array>();
  const question = await setupQuestion(context, proposalId, dealer);
  for (;;) {
    const answers = askAll<DealingPart>(
      peers,
      (peer, open) => ask(context.host, peer.peerId, question, { signal: open }),
      signal,
    );
    for await (const { peer, value } of answers) {
      if (value === undefined) continue;
      try {
        verifyDealingHashes(committee, dealer, root, value.hashes);
        for (const [setNumber, seed] of value.seeds) {
          verifySeed(committee, proposalId, dealer, value.hashes, setNumber, seed);
          if (wanted.includes(setNumber)) seeds.set(setNumber, seed);
        }
      } catch (error) {
        context.log.warn({ dealer, from: peer.index, err: error }, 'seeds refused');
        continue;
      }
      if (seeds.size < wanted.length) continue;
      keep(context, proposalId, dealer, { hashes: value.hashes, seeds });
      context.log.info({ proposalId, dealer }, 'missing seeds pulled');
      return;
    }
    context.log.warn({ proposalId, dealer, missing: wanted.length - seeds.size }, 'seeds missing');
    await pause(MISSING_SEEDS_PAUSE_MS, signal);
  }
}
