import { concat, hexToBytes, keccak256, zeroHash, type Hex } from 'viem';

import { stateHash as hashOf } from '../../ceremony/state.ts';
import { crsManagerAbi } from '../../chain/abi.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { isKeyloomError } from '../../errors.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { Place } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { conclude } from '../duties/conclude.ts';
import { waitForTurn } from '../duties/certify.ts';
import { pause, unlessAborted } from '../waiting.ts';
import { baseOf, dropStaleFiles } from './checked.ts';
import { checkContribution, contribute, contributeBeacon } from './contributing.ts';
import type { MadeContribution } from './computer.ts';
import { rollBackWrong } from './roll-back.ts';
import { Phase, viewOf, type CeremonyView } from './view.ts';

/** How often the contract is asked whose turn it is. */
const POLL_MS = 500;
/** Before a step that failed is taken again. */
const RETRY_MS = 1_000;
/** So many blocks back the contract can read the hash of one. */
const BLOCKHASH_WINDOW = 256n;

/** A ceremony of this operator's epoch, and what it is held with. */
export interface Held {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seat: Place;
  readonly ceremonyId: Hex;
  /** The own contribution by its name, the last one only: a step that is taken again offers the same. */
  readonly made: Map<Hex, MadeContribution>;
}

/**
 * Takes part in a ceremony until it is recorded: contributes when it is this operator's turn, checks and
 * signs what others contribute, and looks after everything that anybody may send.
 *
 * What to do now is what the contract says; a step is dropped as soon as the contract says something
 * else. Nothing is lost with the process but the secrets of a contribution that was not recorded, and
 * those are better lost.
 */
export async function holdCeremony(held: Held, signal: AbortSignal): Promise<void> {
  for (;;) {
    const view = await viewOf(held);
    if (view.phase === Phase.recorded) await signLate(held, view.stateHash, signal);
    if (view.phase < Phase.contributing || view.phase > Phase.final) return;
    const over = new AbortController();
    const step = takeStep(held, view, AbortSignal.any([signal, over.signal]));
    try {
      await untilOther(held, view, signal);
    } finally {
      over.abort();
      await step;
    }
  }
}

/** Takes the step that the view asks for, again and again until it succeeds or is over. */
async function takeStep(held: Held, view: CeremonyView, signal: AbortSignal): Promise<void> {
  const { log, progress } = held.context;
  const { ceremonyId } = held;
  while (!signal.aborted) {
    try {
      return await step(held, view, signal);
    } catch (error) {
      if (signal.aborted) return;
      const code = isKeyloomError(error) ? error.code : 'UNEXPECTED';
      progress.trouble(ceremonyId, code);
      log.warn({ ceremonyId, code, err: error }, 'a step of the ceremony failed');
      await pause(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

async function step(held: Held, view: CeremonyView, signal: AbortSignal): Promise<void> {
  held.context.progress.advance(held.ceremonyId, 'waiting');
  await untilSame(held, view.stateHash, signal);
  await dropStaleFiles(held);
  if (await rollBackWrong(held, signal)) return;
  switch (view.phase) {
    case Phase.contributing:
      return view.turn === held.seat.index
        ? contribute(held, signal)
        : checkContribution(held, view.turn, signal);
    case Phase.closing:
      // Whatever is wrong with it can be shown now, before anything is built on it.
      return void (await baseOf(held, signal));
    case Phase.beacon:
      return view.beacon === zeroHash
        ? awaitBeacon(held, view, signal)
        : contributeBeacon(held, signal);
    case Phase.final:
      return finish(held, view.stateHash, signal);
  }
}

/** Has a block chosen whose hash is the beacon, and the hash kept once there is one. */
async function awaitBeacon(held: Held, view: CeremonyView, signal: AbortSignal): Promise<void> {
  const { context, seat, ceremonyId } = held;
  const { gateway, sender } = context;
  const { client, contracts } = gateway;
  const contract = { address: contracts.crsManager.address, abi: crsManagerAbi } as const;
  const { beaconBlock } = view;
  const height = (): Promise<bigint> => client.getBlockNumber({ cacheTime: 0 });
  const isOver = async (): Promise<boolean> => {
    const now = await viewOf(held);
    return now.beaconBlock !== beaconBlock || now.beacon !== zeroHash;
  };
  while (beaconBlock !== 0n && (await height()) <= beaconBlock) await pause(POLL_MS, signal);
  await waitForTurn(context, seat, keccak256(concat([ceremonyId, '0x00'])), signal);
  const isLost = beaconBlock === 0n || (await height()) > beaconBlock + BLOCKHASH_WINDOW;
  const functionName = isLost ? 'fixBeacon' : 'drawBeacon';
  const call = { ...contract, functionName, args: [ceremonyId] } as const;
  const name = `${functionName}/${ceremonyId}/${beaconBlock}`;
  await unlessAborted(sender.submit(name, call, isOver), signal);
}

async function finish(held: Held, stateHash: Hex, signal: AbortSignal): Promise<void> {
  if ((await baseOf(held, signal)) === undefined) return;
  const { context, seat, ceremonyId } = held;
  const { gateway, sender } = context;
  const { epochId } = seat.session;
  const statement = (result: Hex): Statement => ({
    ...{ type: 'Result', contract: 'crsManager' },
    message: { epochId, requestId: ceremonyId, result },
  });
  const submit: Parameters<typeof conclude>[2]['submit'] = (_, { signerBitmap, signatures }) =>
    sender.submit(
      `crs/${ceremonyId}`,
      {
        ...{ address: gateway.contracts.crsManager.address, abi: crsManagerAbi },
        ...{ functionName: 'finish', args: [ceremonyId, signerBitmap, signatures] },
      },
      async () => (await viewOf(held)).phase !== Phase.final,
    );
  const outcome = { id: ceremonyId, result: hexToBytes(stateHash), statement, submit };
  await conclude(context, seat, outcome, signal);
}

/** What others have recorded before this operator signed it: it can still be attested to, once checked. */
async function signLate(held: Held, stateHash: Hex, signal: AbortSignal): Promise<void> {
  await untilSame(held, stateHash, signal);
  if ((await baseOf(held, signal)) === undefined) return;
  held.context.store.results.commit(held.ceremonyId, keccak256(stateHash));
}

/** Until the contract says something else than it did. */
async function untilOther(held: Held, view: CeremonyView, signal: AbortSignal): Promise<void> {
  const { log } = held.context;
  for (;;) {
    await pause(POLL_MS, signal);
    try {
      if (isOther(await viewOf(held), view)) return;
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error }, 'whose turn it is in a ceremony cannot be read');
    }
  }
}

function isOther(now: CeremonyView, before: CeremonyView): boolean {
  return (Object.keys(before) as (keyof CeremonyView)[]).some((key) => now[key] !== before[key]);
}

/** Until the confirmed chain has the state that the contract has. */
async function untilSame(
  { chain, ceremonyId }: Held,
  stateHash: Hex,
  signal: AbortSignal,
): Promise<void> {
  const known = (): Hex => {
    const last = chain.now.ceremonies.get(ceremonyId)?.contributions.at(-1);
    return last === undefined ? zeroHash : hashOf(last.next);
  };
  while (known() !== stateHash) await chain.change(signal);
}
