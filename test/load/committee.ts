import { governor, user } from '../../devnet/accounts.ts';
import { setUpEpoch, startOperators } from '../../devnet/cluster.ts';
import { startDevnet, type Devnet } from '../../devnet/devnet.ts';
import type { OperatorProcess } from '../../devnet/operator-process.ts';
import type { Epoch } from '../../tasks/support/epochs.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { probed } from './probed.ts';
import type { LoadedKey } from './scalars.ts';

/** Operators as processes of their own that can be asked about themselves, and somebody who asks them. */
export interface LoadedCommittee {
  readonly devnet: Devnet;
  readonly operators: readonly OperatorProcess[];
  readonly epoch: Epoch;
  /** Acts for the user. */
  readonly gateway: Gateway;
}

const KEY_TIMEOUT_MS = 120_000;

/** Does something with a committee, which is gone afterwards. */
export async function withCommittee<T>(
  n: number,
  work: (committee: LoadedCommittee) => Promise<T>,
): Promise<T> {
  const devnet = await startDevnet();
  try {
    const operators = await startOperators(devnet, n, {
      prepare: async (all) => (index) => probed(all[index - 1]),
    });
    const epoch = await setUpEpoch(devnet, operators);
    return await work({ devnet, operators, epoch, gateway: await devnet.as(user) });
  } catch (error) {
    devnet.workspace.keepLogs();
    throw error;
  } finally {
    await devnet.close();
  }
}

export async function makeKey(
  { devnet, epoch }: LoadedCommittee,
  set: ParameterSet,
): Promise<LoadedKey> {
  const gateway = await devnet.as(governor);
  const label = labelOf(`load ${set.name}`);
  const { keyId } = await requestKey(gateway, { epochId: epoch.epochId, set, label });
  await waitForKey(gateway, keyId, { timeoutMs: KEY_TIMEOUT_MS });
  return { set, keyId, publicKey: await downloadPublicKey(gateway, keyId) };
}
