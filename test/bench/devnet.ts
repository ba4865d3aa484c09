import process from 'node:process';

import { governor } from '../../devnet/accounts.ts';
import { bringUp } from '../../devnet/bring-up.ts';
import { Reporter } from '../../devnet/reporter.ts';
import { RoundTrip } from '../../devnet/round-trip.ts';
import { Workspace } from '../../devnet/workspace.ts';
import { downloadPublicKey } from '../../tasks/support/keys.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { benchDecryptions } from './devnet-decryptions.ts';
import { benchKeyRequests } from './devnet-keys.ts';
import type { Measurement } from './report.ts';

/**
 * Operators as processes on the local L2, with the chain and the client on the same machine: a full set
 * of keys, then decryptions.
 *
 * @param requests decryptions of each way
 */
export async function benchDevnet(n: number, requests: number): Promise<Measurement[]> {
  const set = parameterSet('bfv-8192-b20');
  const workspace = new Workspace();
  try {
    const { devnet, epoch, operators } = await bringUp(workspace, new Reporter(process.stderr), {
      n,
    });
    const gateway = await devnet.as(governor);
    const { keyId, measurements } = await benchKeyRequests(gateway, operators, epoch.epochId, set);
    const publicKey = await downloadPublicKey(gateway, keyId);
    const roundTrip = new RoundTrip(devnet, set, keyId, publicKey);
    return [...measurements, ...(await benchDecryptions(roundTrip, n, requests))];
  } finally {
    await workspace.close();
  }
}
