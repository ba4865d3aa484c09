import { zeroHash, type Hex } from 'viem';

import type { Held } from './ceremony.ts';

/** `CeremonyPhase` of the contract, as far as something is to be done in it. */
export const Phase = { contributing: 1, closing: 2, beacon: 3, final: 4, recorded: 5 } as const;

/** What the contract says of a ceremony now, at the head of the chain. */
export interface CeremonyView {
  readonly phase: number;
  /** Committee index of the member whose slot runs; 0 if none does. */
  readonly turn: number;
  /** Timestamp in seconds at which the slot ends. */
  readonly until: bigint;
  /** Of the last contribution; zeros if there is none. */
  readonly stateHash: Hex;
  /** Whether that state was proven wrong: it is to be rolled back. */
  readonly isWrong: boolean;
  readonly beaconBlock: bigint;
  /** Zeros until it is drawn. */
  readonly beacon: Hex;
}

/** Reads what the contract says. Its clock is the chain's, which is what slots are counted by. */
export async function viewOf({ context, ceremonyId }: Held): Promise<CeremonyView> {
  const { crsManager, slashingManager } = context.gateway.contracts;
  const [{ phase, stateHash, beaconBlock, beacon }, [turn, until]] = await Promise.all([
    crsManager.read.ceremony([ceremonyId]),
    crsManager.read.slotOf([ceremonyId]),
  ]);
  const isWrong = stateHash !== zeroHash && (await slashingManager.read.isWrongState([stateHash]));
  return { phase, turn, until, stateHash, isWrong, beaconBlock, beacon };
}
