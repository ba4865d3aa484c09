import { keccak256, stringToHex } from 'viem';
import { expect } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { checkPowers } from '../../tasks/support/crs-check.ts';
import {
  ceremonyOf,
  downloadPowers,
  finalContribution,
  requestCrs,
  type Ceremony,
} from '../../tasks/support/crs.ts';
import { operatorAt } from '../../tasks/support/registration.ts';
import { chainTime } from '../../tasks/support/results.ts';
import { listConvictions } from '../../tasks/support/slashing.ts';
import type { Cluster } from './cluster.ts';

// Ceremonies of 2^12 powers by four real operators, of which one may be malicious.

export const POWER = 12;
/**
 * Of the local chain, whose clock runs twice as fast: long enough for two cores that have other work, too.
 * Slots that come to nothing are skipped by the clock.
 */
const SLOT_SECONDS = 290;
/** Several times what it takes when nothing else runs. */
const DEADLINE_MS = 250_000;
/** A look reads all logs, and the cores are for the operators. */
const LOOK_EVERY_MS = 500;

/** Committee index of the malicious one. */
export const LIAR = 2;

/** What is known of a ceremony that is held. */
export interface Holding {
  readonly beaconIterationsExp?: number;
  /** Told what there is at each look, before the clock is moved. */
  readonly onLook?: (ceremony: Ceremony) => void;
  /** Whether whoever has the slot wastes it, as the others have seen: it may be skipped. */
  readonly isWasted?: (ceremony: Ceremony) => Promise<boolean>;
  /** Whether the challenge window may be skipped. */
  readonly isSettled?: (ceremony: Ceremony) => boolean;
}

/** Has a ceremony held. The clock is moved over slots that are wasted and over the challenge window. */
export async function hold(
  cluster: Cluster,
  name: string,
  { beaconIterationsExp = 0, onLook, isWasted, isSettled = () => true }: Holding,
): Promise<Ceremony> {
  const gateway = await cluster.devnet.as(user);
  const { control } = cluster.devnet.chain;
  const { ceremonyId } = await requestCrs(gateway, {
    ...{ epochId: cluster.epoch.epochId, power: POWER, slotSeconds: SLOT_SECONDS },
    ...{ beaconIterationsExp, salt: keccak256(stringToHex(name)) },
  });
  const skipTo = async (time: number): Promise<void> => {
    const seconds = time - (await chainTime(gateway));
    if (seconds > 0) await control.increaseTime({ seconds });
    await control.mine({ blocks: 1 });
  };
  return waitUntil(
    `ceremony ${name} is recorded`,
    async () => {
      const ceremony = await ceremonyOf(gateway, ceremonyId);
      const { phase, slot, closesAt } = ceremony;
      if (phase === 'Recorded') return ceremony;
      onLook?.(ceremony);
      if (phase === 'Closing' && isSettled(ceremony)) await skipTo(closesAt!);
      if (slot !== undefined && (await isWasted?.(ceremony))) await skipTo(slot.until);
      return undefined;
    },
    { deadlineMs: DEADLINE_MS, everyMs: LOOK_EVERY_MS },
  );
}

/** The indices that contributed, after all that anybody can check was checked. */
export async function contributorsOf(cluster: Cluster, ceremony: Ceremony): Promise<number[]> {
  const gateway = await cluster.devnet.as(user);
  const file = await downloadPowers(gateway, ceremony, finalContribution(ceremony));
  await checkPowers(ceremony, file);
  return ceremony.contributions.map(({ index }) => index).sort((a, b) => a - b);
}

/** How a malicious contributor behaves, by the name of its twin. */
export interface Malice {
  readonly conduct: string;
  /** When its slot is wasted and may be skipped. */
  readonly isWasted: (cluster: Cluster, ceremony: Ceremony) => Promise<boolean>;
  /** Whether a contract can see what was wrong. */
  readonly isProvable: boolean;
}

/** Named by two others: more than can be malicious. */
const isNamed = async (cluster: Cluster, { ceremonyId }: Ceremony): Promise<boolean> => {
  const named = await cluster.faults(ceremonyId);
  return named.some(({ index }) => index === LIAR);
};

/** Two others say what keeps them from going on. */
const isMissed = async (cluster: Cluster, { ceremonyId }: Ceremony): Promise<boolean> => {
  const views = await Promise.all([1, 3, 4].map((index) => cluster.view(index, ceremonyId)));
  return views.filter((view) => view?.error !== undefined).length >= 2;
};

/** Where there is nothing to replay yet, or no other state, it lets its first slot pass. */
const isFirstOrNamed = async (cluster: Cluster, ceremony: Ceremony): Promise<boolean> =>
  ceremony.contributions.length === 0 || isNamed(cluster, ceremony);

/** Every kind of malice there is alone. */
export const malices: readonly Malice[] = [
  { conduct: 'wrong-power', isWasted: isNamed, isProvable: true },
  { conduct: 'tau-zero', isWasted: isNamed, isProvable: true },
  { conduct: 'tau-one', isWasted: isNamed, isProvable: false },
  { conduct: 'off-curve', isWasted: isNamed, isProvable: true },
  { conduct: 'off-subgroup', isWasted: isNamed, isProvable: true },
  { conduct: 'replayed-contribution', isWasted: isFirstOrNamed, isProvable: false },
  { conduct: 'wrong-state', isWasted: isFirstOrNamed, isProvable: false },
  { conduct: 'withheld', isWasted: isMissed, isProvable: false },
  { conduct: 'absent', isWasted: async () => true, isProvable: false },
];

/** Holds a ceremony with one of them: the result is right, and it is slashed where a contract can see why. */
export async function expectNothingChanged(
  cluster: Cluster,
  { conduct, isWasted, isProvable }: Malice,
): Promise<void> {
  const gateway = cluster.governor;
  const { operator } = cluster.members[LIAR - 1];
  const { bondWei } = await operatorAt(gateway, operator);
  const before = await listConvictions(gateway);
  await cluster.restart(LIAR, { conduct });
  const ceremony = await hold(cluster, conduct, {
    isWasted: async (now) => now.slot?.index === LIAR && isWasted(cluster, now),
  });
  expect(await contributorsOf(cluster, ceremony)).toEqual([1, 3, 4]);
  if (!isProvable) return expect(await listConvictions(gateway)).toHaveLength(before.length);
  const conviction = await waitUntil(`${conduct} is slashed`, async () => {
    const all = await listConvictions(gateway);
    return all.length > before.length ? all.at(-1) : undefined;
  });
  expect(conviction).toMatchObject({
    ...{ kind: 'wrong-contribution', operator, slashedWei: bondWei / 2n },
  });
}
