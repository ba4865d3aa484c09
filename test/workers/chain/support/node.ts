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

import { anvilProgram } from '../../../../devnet/anvil.ts';
import type { ExecutionClient } from '../../../../devnet/chain.ts';
import type { BlockSource } from '../../../../workers/chain/endpoints.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const hardhatProgram = fileURLToPath(new URL('cli.js', import.meta.resolve('hardhat')));

/** One of the node's funded accounts. */
export const account = (addressIndex: number) =>
  mnemonicToAccount('test test test test test test test test test test test junk', {
    addressIndex,
  });

const commands = {
  hardhat: () => [
    process.execPath,
    ...[hardhatProgram, 'node', '--chain-type', 'op', '--hostname', '127.0.0.1', '--port', '0'],
  ],
  anvil: () => [anvilProgram(), '--network', 'optimism', '--port', '0'],
};

/** Starts an execution client as an OP chain on a free port; it makes a block for each transaction. */
export async function startNode(client: ExecutionClient = 'hardhat') {
  const [program, ...args] = commands[client]();
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const rpcUrl = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /(?:JSON-RPC server at http:\/\/|Listening on )([\d.]+:\d+)/.exec(line)?.[1];
      if (address !== undefined) resolve(`http://${address}`);
    });
    void exited.then(() => reject(new Error(`${client} ended`)));
  });
  const transport = http(rpcUrl, { retryCount: 0 });
  return {
    rpcUrl,
    client: clientOf(rpcUrl),
    control: createTestClient<ExecutionClient, typeof transport, typeof hardhat>({
      ...{ chain: hardhat, transport, mode: client },
    }),
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

/** Forwards a request, changes its answer, or refuses it. */
export type Meddle = (request: Request, forward: () => Promise<unknown>) => Promise<unknown>;

/** A client whose answers pass through `meddle`, which may forward, change, or refuse them. */
export function meddlingClient(rpcUrl: string, meddle: Meddle): PublicClient {
  const upstream = clientOf(rpcUrl);
  const request = (asked: Request) =>
    meddle(asked, () => upstream.request(asked as Parameters<typeof upstream.request>[0]));
  return createPublicClient({
    chain: hardhat,
    transport: custom({ request } as { request: EIP1193RequestFn }, { retryCount: 0 }),
    cacheTime: 0,
  });
}
