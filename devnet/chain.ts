import { fileURLToPath } from 'node:url';
import { createTestClient, http, type TestClient } from 'viem';
import { hardhat } from 'viem/chains';

import type { ManagedProcess } from './process.ts';
import type { Workspace } from './workspace.ts';

/** The project's root: Hardhat looks for its configuration where it is started. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url));

const hardhatProgram = fileURLToPath(new URL('cli.js', import.meta.resolve('hardhat')));

/** A block is made this often even without a transaction; a transaction gets its own at once. */
const BLOCK_INTERVAL_MS = 500;

/** A local L2: Hardhat's node as a process of its own. */
export interface LocalChain {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Does what only a test chain can: moves the clock, holds back blocks. */
  readonly control: TestClient<'hardhat'>;
  readonly process: ManagedProcess;
}

/** Starts a local L2 on 127.0.0.1; port 0 lets the system choose one. */
export async function startChain(workspace: Workspace, port = 0): Promise<LocalChain> {
  const node = workspace.start('chain', {
    args: [
      ...[hardhatProgram, 'node', '--chain-type', 'op'],
      ...['--hostname', '127.0.0.1', '--port', String(port)],
    ],
    cwd: projectRoot,
  });
  const rpcUrl = await node.waitForLog(
    'the chain listens',
    (log) => /JSON-RPC server at (http:\/\/[\d.]+:\d+)/.exec(log)?.[1],
  );
  const control = createTestClient({ chain: hardhat, transport: http(rpcUrl), mode: 'hardhat' });
  await control.setIntervalMining({ interval: BLOCK_INTERVAL_MS / 1000 });
  return { rpcUrl, chainId: hardhat.id, control, process: node };
}
