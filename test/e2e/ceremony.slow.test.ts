import { readFileSync } from 'node:fs';
import { keccak256, stringToHex } from 'viem';
import { expect, it } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { checkPowers } from '../../tasks/support/crs-check.ts';
import {
  downloadPowers,
  finalContribution,
  requestCrs,
  waitForCrs,
} from '../../tasks/support/crs.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { chainTime } from '../../tasks/support/results.ts';
import { ceremonyOf } from '../../tasks/support/crs.ts';
import { Cluster } from './cluster.ts';

// 2^16 powers by four real operators, and what each of them takes for it.

const POWER = 16;
/** Of the local chain, whose clock runs fast; the challenge window is skipped. */
const SLOT_SECONDS = 290;
const TIMEOUT_MS = 1_500_000;

/** Most memory that a process had, in MB; Linux only. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Math.round(Number(/^VmHWM:\s+(\d+) kB/mu.exec(status)?.[1]) / 1024);
  } catch {
    return undefined;
  }
}

it('four operators make 2^16 powers', async () => {
  const cluster = await Cluster.start(4);
  try {
    const gateway = await cluster.devnet.as(user);
    const before = cluster.operators.map(({ pid }) => peakOf(pid));
    const { ceremonyId } = await requestCrs(gateway, {
      ...{ epochId: cluster.epoch.epochId, power: POWER, slotSeconds: SLOT_SECONDS },
      ...{ beaconIterationsExp: 10, salt: keccak256(stringToHex('slow')) },
    });
    const recordedAt: number[] = [];
    const started = performance.now();
    const { control } = cluster.devnet.chain;
    await waitUntil(
      'all have contributed',
      async () => {
        const { contributions, phase, closesAt } = await ceremonyOf(gateway, ceremonyId);
        while (recordedAt.length < contributions.length)
          recordedAt.push(Math.round(performance.now() - started));
        if (phase === 'Closing') {
          const seconds = (closesAt ?? 0) - (await chainTime(gateway));
          if (seconds > 0) await control.increaseTime({ seconds });
          await control.mine({ blocks: 1 });
        }
        return contributions.length === 5 ? contributions : undefined;
      },
      { deadlineMs: TIMEOUT_MS, everyMs: 1_000 },
    );
    const ceremony = await waitForCrs(gateway, ceremonyId, { timeoutMs: TIMEOUT_MS });
    expect(ceremony.contributions.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3, 4]);
    const file = await downloadPowers(gateway, ceremony, finalContribution(ceremony));
    expect(await checkPowers(ceremony, file)).toMatchObject({ count: 5 });
    console.log({
      contributors: ceremony.contributions.map(({ index }) => index),
      secondsFromRequest: recordedAt.map((ms) => Math.round(ms / 1_000)),
      peakMemoryBeforeMB: before,
      peakMemoryMB: cluster.operators.map(({ pid }) => peakOf(pid)),
      fileBytes: file.length,
    });
  } finally {
    await cluster.close();
  }
});
