import { otherUser } from '../../devnet/accounts.ts';
import { Cluster, testSet, type ClusterOptions } from '../e2e/cluster.ts';
import { Relays } from '../faults/relay.ts';
import { RpcProxy } from '../faults/rpc-proxy.ts';
import { Auditor } from './auditor.ts';
import { Backup } from './backup.ts';
import { Course } from './course.ts';
import { Faults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { Random } from './random.ts';
import type { Report } from './report.ts';
import { Requester } from './requester.ts';
import type { Plan } from './schedule.ts';

const REQUESTERS = 3;

export interface RunOptions {
  readonly onProgress: (text: string) => void;
  /** Ends the run; there is a report all the same, unless it has not begun. */
  readonly signal: AbortSignal;
}

/** Does what a plan says to a devnet, and reports. `logs`: where they were kept of a run that failed. */
export async function runChaos(
  plan: Plan,
  options: RunOptions,
): Promise<{ report: Report; logs: string | undefined }> {
  const proxies: RpcProxy[] = [];
  let relays: Relays | undefined;
  options.onProgress(`starting a local L2 and ${plan.n} operators`);
  const prepare: ClusterOptions['prepare'] = async ({ chain }, operators) => {
    const started = await Relays.start(operators, plan.seed);
    for (let count = 0; count < plan.n; count++) proxies.push(await RpcProxy.start(chain.rpcUrl));
    relays = started;
    return (index) => Faults.startOptions({ relays: started, proxies }, index);
  };
  const cluster = await Cluster.start(plan.n, { prepare });
  try {
    options.signal.throwIfAborted();
    const { workspace } = cluster.devnet;
    const backup = await Backup.create(cluster.operator(plan.restored), workspace.folder);
    const faults = new Faults(cluster.operators, { relays: relays!, proxies }, backup);
    const ledger = new Ledger();
    const load = await loadOf(plan, cluster, ledger);
    const { governor, epoch, members } = cluster;
    const auditor = new Auditor(governor, epoch.epochId, members);
    const parts = { cluster, faults, ledger, load, auditor };
    const report = await new Course(plan, parts, options).run();
    return { report, logs: report.result === 'failed' ? workspace.keepLogs() : undefined };
  } finally {
    await cluster.close();
    await relays?.close();
    for (const proxy of proxies) await proxy.close();
  }
}

async function loadOf(plan: Plan, cluster: Cluster, ledger: Ledger): Promise<Load> {
  const { devnet, epoch, members, governor, keyId, roundTrip } = cluster;
  const context = {
    ...{ set: testSet, committee: epoch.committee, ledger },
    endpoints: members.map(({ endpoint }) => endpoint),
  };
  const requesters = await Promise.all(
    Array.from({ length: REQUESTERS }, async (_, at) => {
      const random = new Random(plan.seed + 1 + at);
      return new Requester(await devnet.as(otherUser(1 + at)), context, random);
    }),
  );
  const target = { governor, epochId: epoch.epochId, set: testSet };
  return new Load(target, requesters, [{ keyId, publicKey: roundTrip.publicKey }], ledger);
}
