import process from 'node:process';

import { bringUp } from '../../devnet/bring-up.ts';
import { Reporter } from '../../devnet/reporter.ts';
import { requireMatch, RoundTrip, sampleSlots } from '../../devnet/round-trip.ts';
import { Workspace } from '../../devnet/workspace.ts';
import { governor } from '../../devnet/accounts.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import type { Values } from '../../workers/fhe/client.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { quantile, type Measurement } from './report.ts';

const REQUESTS = 20;

/**
 * Four operators as processes on the local L2: from the request's transaction to the checked
 * plaintext, one request at a time, each for a fresh ciphertext.
 */
export async function benchDevnet(): Promise<Measurement[]> {
  const set = parameterSet('bfv-8192-b20');
  const workspace = new Workspace();
  try {
    const { devnet, epoch } = await bringUp(workspace, new Reporter(process.stderr), { n: 4 });
    const gateway = await devnet.as(governor);
    const started = performance.now();
    const { keyId } = await requestKey(gateway, {
      epochId: epoch.epochId,
      set,
      label: labelOf('bench'),
    });
    await waitForKey(gateway, keyId, { timeoutMs: 120_000 });
    const keyMs = performance.now() - started;
    const roundTrip = new RoundTrip(devnet, set, keyId, await downloadPublicKey(gateway, keyId));

    const measure = async (what: string, values: (at: number) => Values) => {
      const times: number[] = [];
      for (let at = 0; at < REQUESTS; at++) {
        const outcome = await roundTrip.run(values(at));
        requireMatch(outcome);
        times.push(outcome.decryptMs);
      }
      return [50, 95].map((percent) => ({
        name: `devnet, n=4: ${what}, request to result, p${percent}`,
        unit: 'ms',
        value: quantile(times, percent / 100),
      }));
    };
    return [
      { name: 'devnet, n=4: key, request to record', unit: 'ms', value: keyMs },
      ...(await measure('all coefficients', (at) => ({ slots: sampleSlots(set, BigInt(at)) }))),
      ...(await measure('scalar', (at) => ({ scalar: BigInt(at) }))),
    ];
  } finally {
    await workspace.close();
  }
}
