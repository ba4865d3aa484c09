import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  createPublicClient,
  http,
  keccak256,
  numberToHex,
  type Address,
  type Hex,
  type RpcLog,
} from 'viem';

interface RpcRequest {
  method: string;
  params?: readonly unknown[];
}
interface RpcAnswer {
  result?: unknown;
}
type Batch<T> = T | T[];

/** A log that never happened, and the height at which to tell it. */
export interface Invention {
  address: Address;
  topics: readonly Hex[];
  data: Hex;
  height: bigint;
}

export interface LyingRpc {
  readonly url: string;
  /** From now on, questions for logs that cover that height are answered with this one, too. */
  invent(invention: Invention): void;
  /** Tells the truth again. */
  repent(): void;
  close(): Promise<void>;
}

/**
 * A JSON-RPC endpoint that passes everything on to `upstream` and adds logs that never happened. It
 * lies well: an invented log carries the hash of the real block at its height.
 */
export async function startLyingRpc(upstream: string): Promise<LyingRpc> {
  let inventions: Invention[] = [];

  const embellish = async (request: RpcRequest, answer: RpcAnswer): Promise<RpcAnswer> => {
    if (request.method !== 'eth_getLogs' || !Array.isArray(answer.result)) return answer;
    const filter = request.params?.[0] as LogFilter;
    const told = inventions.filter((invention) => covers(filter, invention));
    const lies = await Promise.all(told.map((invention) => disguise(upstream, invention)));
    const logs = [...(answer.result as RpcLog[]), ...lies];
    return { ...answer, result: logs.sort((a, b) => order(a) - order(b)) };
  };

  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await read(incoming);
      const requests = JSON.parse(body) as Batch<RpcRequest>;
      const reply = await fetch(upstream, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const answers = (await reply.json()) as Batch<RpcAnswer>;
      const lied =
        Array.isArray(requests) && Array.isArray(answers)
          ? await Promise.all(answers.map((answer, i) => embellish(requests[i], answer)))
          : await embellish(requests as RpcRequest, answers as RpcAnswer);
      outgoing.setHeader('content-type', 'application/json').end(JSON.stringify(lied));
    })().catch(() => outgoing.writeHead(502).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    invent: (invention) => void inventions.push(invention),
    repent: () => {
      inventions = [];
    },
    async close() {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}

interface LogFilter {
  address?: Batch<string>;
  fromBlock?: string;
  toBlock?: string;
}

function covers({ address, fromBlock, toBlock }: LogFilter, invention: Invention): boolean {
  const addresses = address === undefined ? [] : [address].flat();
  const asked = addresses.some((one) => one.toLowerCase() === invention.address.toLowerCase());
  const height = Number(invention.height);
  return asked && Number(fromBlock) <= height && height <= Number(toBlock);
}

/** The invention as a log of the real block at its height, after all real ones. */
async function disguise(upstream: string, invention: Invention): Promise<RpcLog> {
  const client = createPublicClient({ transport: http(upstream) });
  const block = await client.getBlock({ blockNumber: invention.height });
  return {
    address: invention.address,
    topics: [...invention.topics] as RpcLog['topics'],
    data: invention.data,
    blockNumber: numberToHex(invention.height),
    blockHash: block.hash,
    blockTimestamp: numberToHex(block.timestamp),
    transactionHash: keccak256(invention.data),
    transactionIndex: numberToHex(block.transactions.length),
    logIndex: numberToHex(1000),
    removed: false,
  };
}

const order = (log: RpcLog): number => Number(log.blockNumber) * 1e6 + Number(log.logIndex);

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
