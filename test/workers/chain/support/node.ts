import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  createPublicClient,
  createTestClient,
  custom,
  http,
  type EIP1193RequestFn,
  type PublicClient,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { hardhat } from 'viem/chains';

import type { BlockSource } from '../../../../workers/chain/endpoints.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const hardhatProgram = fileURLToPath(new URL('cli.js', import.meta.resolve('hardhat')));

/** One of the node's funded accounts. */
export const account = (addressIndex: number) =>
  mnemonicToAccount('test test test test test test test test test test test junk', {
    addressIndex,
  });

/** Starts Hardhat's node with the `op` chain type on a free port. */
export async function startNode() {
  const child = spawn(
    process.execPath,
    [hardhatProgram, 'node', '--chain-type', 'op', '--hostname', '127.0.0.1', '--port', '0'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const rpcUrl = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const url = /JSON-RPC server at (http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    void exited.then(() => reject(new Error('hardhat node ended')));
  });
  const transport = http(rpcUrl, { retryCount: 0 });
  return {
    rpcUrl,
    client: clientOf(rpcUrl),
    control: createTestClient({ chain: hardhat, transport, mode: 'hardhat' }),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export type TestNode = Awaited<ReturnType<typeof startNode>>;

export const clientOf = (rpcUrl: string): PublicClient =>
  createPublicClient({ chain: hardhat, transport: http(rpcUrl, { retryCount: 0 }), cacheTime: 0 });

/** A client as where blocks are read from: there is no other endpoint. */
export const sourceOf = (client: PublicClient): BlockSource => ({
  pick: () => ({ client, seconded: async (height) => height, distrust: () => false }),
});

type Request = Parameters<EIP1193RequestFn>[0] & { params?: unknown };

/** A client whose answers pass through `meddle`, which may forward, change, or refuse them. */
export function meddlingClient(
  rpcUrl: string,
  meddle: (request: Request, forward: () => Promise<unknown>) => Promise<unknown>,
): PublicClient {
  const upstream = clientOf(rpcUrl);
  const request = (asked: Request) =>
    meddle(asked, () => upstream.request(asked as Parameters<typeof upstream.request>[0]));
  return createPublicClient({
    chain: hardhat,
    transport: custom({ request } as { request: EIP1193RequestFn }, { retryCount: 0 }),
    cacheTime: 0,
  });
}
