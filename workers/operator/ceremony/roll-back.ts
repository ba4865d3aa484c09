import { stateHash } from '../../ceremony/state.ts';
import { crsManagerAbi } from '../../chain/abi.ts';
import { waitForTurn } from '../duties/certify.ts';
import { unlessAborted } from '../waiting.ts';
import type { Held } from './ceremony.ts';
import { viewOf } from './view.ts';

/**
 * Has the first contribution taken away whose state was proven wrong, with all behind it.
 *
 * @returns whether there was one: the ceremony goes on from before it
 */
export async function rollBackWrong(held: Held, signal: AbortSignal): Promise<boolean> {
  const { context, chain, seat, ceremonyId } = held;
  const { gateway, sender, log } = context;
  const { crsManager, slashingManager } = gateway.contracts;
  const { contributions } = chain.now.ceremonies.get(ceremonyId)!;
  const hashes = contributions.map(({ next }) => stateHash(next));
  const wrong = await Promise.all(hashes.map((hash) => slashingManager.read.isWrongState([hash])));
  const position = wrong.indexOf(true);
  if (position < 0) return false;
  await waitForTurn(context, seat, hashes[position], signal);
  const call = {
    ...{ address: crsManager.address, abi: crsManagerAbi },
    functionName: 'rollBack',
    args: [ceremonyId, BigInt(position)],
  } as const;
  const last = hashes.at(-1);
  const isOver = async () => (await viewOf(held)).stateHash !== last;
  const sent = sender.submit(`roll-back/${ceremonyId}/${hashes[position]}`, call, isOver);
  await unlessAborted(sent, signal);
  log.warn({ ceremonyId, position }, 'a wrong contribution was rolled back');
  return true;
}
