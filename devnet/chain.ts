import { fileURLToPath } from 'node:url';
import { createTestClient, http, type TestClient } from 'viem';
import { hardhat } from 'viem/chains';

import { anvilProgram } from './anvil.ts';
import type { ManagedProcess } from './process.ts';
import type { Workspace } from './workspace.ts';

/** The project's root: Hardhat looks for its configuration where it is started. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

const hardhatProgram = fileURLToPath(new URL('cli.js', import.meta.resolve('hardhat')));

/** A block is made this often even without a transaction; a transaction gets its own at once. */
const BLOCK_INTERVAL_MS = 500;

/** Execution clients that can be a local L2: independent implementations (docs/chain-trouble.md). */
export type ExecutionClient = 'hardhat' | 'anvil';

/** A local L2: an execution client as a process of its own. */
export interface LocalChain {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Does what only a test chain can: moves the clock, holds back blocks. */
  readonly control: TestClient<ExecutionClient>;
  readonly process: ManagedProcess;
}

/** Starts a local L2 on 127.0.0.1; port 0 lets the system choose one. */
export async function startChain(
  workspace: Workspace,
  { port = 0, client = 'hardhat' }: { port?: number; client?: ExecutionClient } = {},
): Promise<LocalChain> {
  const started = client === 'anvil' ? startAnvil(workspace, port) : startHardhat(workspace, port);
  const rpcUrl = await started.listening;
  const control = createTestClient({ chain: hardhat, transport: http(rpcUrl), mode: client });
  // Anvil's would stop making blocks for transactions: it was told at its start.
  if (client === 'hardhat') await control.setIntervalMining({ interval: BLOCK_INTERVAL_MS / 1000 });
  return { rpcUrl, chainId: hardhat.id, control, process: started.node };
}

function startHardhat(workspace: Workspace, port: number) {
  const node = workspace.start('chain', {
    args: [
      ...[hardhatProgram, 'node', '--chain-type', 'op'],
      ...['--hostname', '127.0.0.1', '--port', String(port)],
    ],
    cwd: projectRoot,
  });
  const listening = node.waitForLog(
    'the chain listens',
    (log) => /JSON-RPC server at (http:\/\/[\d.]+:\d+)/.exec(log)?.[1],
  );
  return { node, listening };
}

function startAnvil(workspace: Workspace, port: number) {
  const node = workspace.start('chain', {
    program: anvilProgram(),
    args: [
      ...['--network', 'optimism', '--host', '127.0.0.1', '--port', String(port)],
      ...['--accounts', '20', '--mixed-mining', '--block-time', String(BLOCK_INTERVAL_MS / 1000)],
    ],
  });
  const listening = node.waitForLog('the chain listens', (log) => {
    const address = /Listening on ([\d.]+:\d+)/.exec(log)?.[1];
    return address && `http://${address}`;
  });
  return { node, listening };
}
