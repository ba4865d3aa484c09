import type { Epoch } from '../tasks/support/epochs.ts';
import { startChain } from './chain.ts';
import { setUpEpoch, startOperators } from './cluster.ts';
import { deployKeyloom } from './deploy.ts';
import { assemble, type Devnet } from './devnet.ts';
import { shorten } from './format.ts';
import type { OperatorPorts, OperatorProcess } from './operator-process.ts';
import type { Reporter } from './reporter.ts';
import type { Workspace } from './workspace.ts';

/** A devnet whose committee is ready to serve. */
export interface Running {
  devnet: Devnet;
  operators: OperatorProcess[];
  epoch: Epoch;
}

/** Starts everything that comes before the first request, and tells about it. */
export async function bringUp(
  workspace: Workspace,
  reporter: Reporter,
  options: { n: number; chainPort?: number; ports?: (index: number) => OperatorPorts },
): Promise<Running> {
  const { n, chainPort, ports } = options;
  const chain = await reporter.step(
    'Start a local L2',
    'Requests and results go through contracts, so everybody sees the same ones.',
    async (report) => {
      const started = await startChain(
        workspace,
        chainPort === undefined ? {} : { port: chainPort },
      );
      report.result(`chain ${started.chainId} at ${started.rpcUrl}`);
      return started;
    },
  );
  const deployment = await reporter.step(
    'Deploy the gateway contracts',
    'One address is all that a client has to know; it finds the other contracts from there.',
    async (report) => {
      const deployed = await deployKeyloom(workspace, chain);
      report.result(`DecryptionGateway ${shorten(deployed.gateway)}`);
      return deployed;
    },
  );
  const devnet = assemble(workspace, chain, deployment);
  const operators = await reporter.step(
    `Start ${n} operators`,
    'Each is a process of its own with its own keys, data and bond. They talk over libp2p.',
    async (report) => {
      const started = await startOperators(devnet, n, {
        onProgress: report.progress,
        ...(ports === undefined ? {} : { ports }),
      });
      report.result(`at ${started.map(({ endpoint }) => new URL(endpoint).host).join(', ')}`);
      return started;
    },
  );
  const epoch = await reporter.step(
    'Set up the committee',
    'They exchange random seeds once. After this they make shares of secrets without talking.',
    async (report) => {
      const active = await setUpEpoch(devnet, operators, {
        onProgress: ({ text }) => report.progress(text),
      });
      report.result(`epoch ${shorten(active.epochId)} is active`);
      return active;
    },
  );
  return { devnet, operators, epoch };
}
