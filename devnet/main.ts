/**
 * `npm run devnet [-- --operators 4]`
 *
 * A local L2 with a committee of operators that stays up until Ctrl-C, on fixed ports. The kms tasks
 * find it through .devnet/deployment.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { DEPLOYMENT_FILE } from '../tasks/support/deployment.ts';
import { operatorOwner } from './accounts.ts';
import { bringUp, type Running } from './bring-up.ts';
import { projectRoot } from './chain.ts';
import type { OperatorPorts } from './operator-process.ts';
import { requireFree } from './ports.ts';
import { exitedError } from './process.ts';
import { readOptions, runProgram } from './program.ts';
import { Reporter } from './reporter.ts';
import type { Workspace } from './workspace.ts';

const CHAIN_PORT = 8545;
const portsOf = (index: number): OperatorPorts => ({ http: 8100 + index, p2p: 9100 + index });

await runProgram(async (workspace) => {
  const { n } = readOptions('npm run devnet [-- --operators 4|7|10|13]');
  await requireFree(CHAIN_PORT, 'the chain');
  for (let index = 1; index <= n; index++) {
    await requireFree(portsOf(index).http, `HTTP of operator ${index}`);
    await requireFree(portsOf(index).p2p, `libp2p of operator ${index}`);
  }
  const reporter = new Reporter();
  reporter.title(`Keyloom devnet: a local L2 and ${n} operators`);
  const running = await bringUp(workspace, reporter, { n, chainPort: CHAIN_PORT, ports: portsOf });
  publish(workspace, running);
  reporter.title('Ready. In another terminal:');
  reporter.text(examples(workspace));
  const { name, logFile, exited } = running.devnet.chain.process;
  throw exitedError(name, logFile, await exited);
});

/** Tells the tasks where everything is, for as long as the devnet runs. */
function publish(workspace: Workspace, { devnet, operators, epoch }: Running): void {
  const file = join(projectRoot, DEPLOYMENT_FILE);
  const { chain, deployment } = devnet;
  const document = {
    rpcUrl: chain.rpcUrl,
    chainId: chain.chainId,
    ...deployment,
    epochId: epoch.epochId,
    operators: operators.map(({ index, identity, endpoint, multiaddr, logFile }) => ({
      index,
      operator: operatorOwner(index).address,
      signer: identity.signer,
      endpoint,
      multiaddr,
      logFile,
    })),
  };
  mkdirSync(dirname(file), { recursive: true });
  workspace.removeAtEnd(file);
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
}

function examples(workspace: Workspace): string {
  return `
  npx hardhat kms operator list
  npx hardhat kms keygen --set bfv-8192-b20 --label first
  npx hardhat kms encrypt --key KEY --slots 1,2,3
  npx hardhat kms decrypt --handle HANDLE
  npx hardhat kms status

  Logs: ${workspace.folder}/*.log     Stop: Ctrl-C`;
}
