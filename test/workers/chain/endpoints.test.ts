import { keccak256, numberToHex } from 'viem';
import { describe, expect, it } from 'vitest';

import { broadcast } from '../../../workers/chain/broadcast.ts';
import { EndpointFault } from '../../../workers/chain/endpoint.ts';
import { Endpoints, RETURN_AFTER_MS } from '../../../workers/chain/endpoints.ts';
import { ChainErrorCode } from '../../../workers/chain/errors.ts';
import { OLD_AFTER_MS, STUCK_AFTER_MS } from '../../../workers/chain/heads.ts';
import { seededNumbers } from '../computations/random-program.ts';

const DAY = 1_700_000_000;

/** A node behind an endpoint, as far as it is asked here. */
interface FakeNode {
  chainId: number;
  head: bigint;
  /** Of the latest block, in seconds. */
  timestamp: number;
  /** What it does instead of answering. */
  trouble: ((method: string) => Promise<Response> | Response | undefined) | undefined;
  /** Methods, in the order in which it was asked. */
  asked: string[];
}

const json = (body: unknown): Response =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    headers: { 'content-type': 'application/json' },
  });
const rpcError = (code: number, message: string) => () =>
  json({ jsonrpc: '2.0', id: 1, error: { code, message } });

/** Endpoints of as many nodes, whose clocks and network a test has in its hands. */
function endpointsOf(count: number, { timeoutMs = 5 } = {}) {
  const nodes = Array.from({ length: count }, (): FakeNode => ({
    ...{ chainId: 10, head: 100n, timestamp: DAY, trouble: undefined, asked: [] },
  }));
  const clock = { steady: 0 };
  const fetchFn = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : input.toString();
    const node = nodes[Number(/node-(\d)/.exec(url)![1])];
    const { method } = JSON.parse(init!.body as string) as { method: string };
    node.asked.push(method);
    const instead = node.trouble?.(method);
    if (instead !== undefined) return abortable(instead, init!.signal!);
    const number = numberToHex(node.head);
    const results: Record<string, unknown> = {
      eth_chainId: numberToHex(node.chainId),
      eth_blockNumber: number,
      eth_getBlockByNumber: { number, timestamp: numberToHex(node.timestamp), transactions: [] },
      eth_gasPrice: numberToHex(count),
      eth_sendRawTransaction: keccak256('0x'),
    };
    return json({ jsonrpc: '2.0', id: 1, result: results[method] });
  };
  const changes: string[] = [];
  const dice = seededNumbers('pauses');
  const urls = nodes.map((_, index) => `https://user:secret@node-${index}.test/access-key`);
  const endpoints = new Endpoints(urls, {
    ...{ fetchFn, timeoutMs, steady: () => clock.steady },
    timeOfDay: () => DAY * 1_000 + clock.steady,
    random: () => dice(1_000) / 1_000,
    onChange: ({ index, fault }) => changes.push(`${index} ${fault ?? 'well'}`),
  });
  endpoints.chainId = 10n;
  const faults = () => endpoints.statuses().map(({ fault }) => fault);
  const used = () => endpoints.statuses().findIndex(({ inUse }) => inUse);
  /** Lets time pass, in which every endpoint is asked for its head. */
  const pass = async (ms: number): Promise<void> => {
    clock.steady += ms;
    for (const endpoint of endpoints.all) await endpoints.probe(endpoint);
  };
  return { nodes, endpoints, clock, faults, used, pass, changes };
}

/** What a network does with a question whose asker gives up. */
function abortable(answer: Promise<Response> | Response, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    Promise.resolve(answer).then(resolve, reject);
  });
}

const hanging = () => new Promise<Response>(() => undefined);
const unreachable = () => Promise.reject(new TypeError('fetch failed'));

describe('several endpoints', () => {
  it('are asked in the order of preference: one of them', async () => {
    const { nodes, endpoints } = endpointsOf(3);
    await endpoints.client.getBlockNumber();
    await endpoints.client.getGasPrice();
    expect(nodes[0].asked).toEqual(['eth_chainId', 'eth_blockNumber', 'eth_gasPrice']);
    expect([...nodes[1].asked, ...nodes[2].asked]).toEqual([]);
  });

  it.each<[string, FakeNode['trouble'], EndpointFault]>([
    ['refuses connections', unreachable, EndpointFault.UNREACHABLE],
    ['never answers', hanging, EndpointFault.UNREACHABLE],
    ['is overloaded', () => new Response('so sorry', { status: 503 }), EndpointFault.REFUSES],
    ['is asked too often', () => new Response('so sorry', { status: 429 }), EndpointFault.REFUSES],
    ['says so in JSON', rpcError(-32005, 'limit exceeded'), EndpointFault.REFUSES],
    [
      'does not know the key',
      () => new Response('so sorry', { status: 403 }),
      EndpointFault.REFUSES,
    ],
    [
      'says in JSON that the key may not',
      () =>
        Response.json(
          { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } },
          { status: 403 },
        ),
      EndpointFault.REFUSES,
    ],
    ['answers in HTML', () => json('<html>'), EndpointFault.MALFORMED],
    ['breaks off', () => json('{"jsonrpc":"2.0","id":1,"res'), EndpointFault.MALFORMED],
    ['answers without a result', () => json({ jsonrpc: '2.0', id: 1 }), EndpointFault.MALFORMED],
  ])('one that %s is not used: the next one answers', async (_, trouble, fault) => {
    const { nodes, endpoints, faults, used } = endpointsOf(2);
    nodes[0].trouble = trouble;
    expect(await endpoints.client.getGasPrice()).toBe(2n);
    expect(faults()).toEqual([fault, undefined]);
    expect(await endpoints.client.getGasPrice()).toBe(2n);
    expect(nodes[0].asked).toHaveLength(1);
    expect(used()).toBe(1);
  });

  it('of another chain are not used, also if they became so', async () => {
    const { nodes, endpoints, faults, pass } = endpointsOf(2);
    nodes[0].chainId = 11;
    await endpoints.client.getGasPrice();
    expect(faults()).toEqual([EndpointFault.WRONG_CHAIN, undefined]);
    expect(nodes[0].asked).toEqual(['eth_chainId']);
    await pass(1_000);
    expect(faults()).toEqual([EndpointFault.WRONG_CHAIN, undefined]);
    nodes[0].chainId = 10;
    await pass(1_000);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('are not asked again for an answer that is an error', async () => {
    const { nodes, endpoints, faults } = endpointsOf(2);
    nodes[0].trouble = (method) =>
      method === 'eth_chainId' ? undefined : rpcError(3, 'execution reverted')();
    await expect(endpoints.client.getGasPrice()).rejects.toThrow();
    expect(nodes[1].asked).toEqual([]);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('are all tried in turn while none is well, and none is given up', async () => {
    const { nodes, endpoints, clock, pass, faults } = endpointsOf(2);
    for (const node of nodes) node.trouble = unreachable;
    await expect(endpoints.client.getGasPrice()).rejects.toThrow();
    for (const node of nodes) node.asked = [];
    for (let time = 1; time <= 4; time++) {
      clock.steady = time;
      await expect(endpoints.client.getGasPrice()).rejects.toThrow();
    }
    expect(nodes.map(({ asked }) => asked.length)).toEqual([2, 2]);
    nodes[1].trouble = undefined;
    await pass(1);
    expect(faults()).toEqual([EndpointFault.UNREACHABLE, undefined]);
    expect(await endpoints.client.getGasPrice()).toBe(2n);
  });

  it('go back to the preferred one once it has been well for a while', async () => {
    const { nodes, endpoints, used, pass } = endpointsOf(2);
    nodes[0].trouble = unreachable;
    await endpoints.client.getGasPrice();
    nodes[0].trouble = undefined;
    await pass(1_000);
    await endpoints.client.getGasPrice();
    expect(used()).toBe(1);
    nodes[1].head += 1n;
    nodes[0].head += 1n;
    await pass(RETURN_AFTER_MS);
    await endpoints.client.getGasPrice();
    expect(used()).toBe(1);
    await pass(1);
    await endpoints.client.getGasPrice();
    expect(used()).toBe(0);
  });

  it('that fail are left alone for longer each time, and not all for as long', async () => {
    const { nodes, endpoints, pass } = endpointsOf(2);
    for (const node of nodes) node.trouble = unreachable;
    const pauses: number[] = [];
    for (let failures = 1; failures <= 7; failures++) {
      await pass(1);
      const [first, second] = endpoints.all.map((endpoint) => endpoints.pauseMs(endpoint));
      expect(first).not.toBe(second);
      for (const pause of [first, second]) {
        const middle = Math.min(1_000 * 2 ** failures, 30_000);
        expect(pause).toBeGreaterThanOrEqual(0.75 * middle);
        expect(pause).toBeLessThan(1.25 * middle);
      }
      pauses.push(first);
    }
    expect(endpointsOf(2).endpoints.pauseMs({ index: 0 })).toBeGreaterThanOrEqual(3_750);
    expect(new Set(pauses).size).toBe(7);
  });

  it('tell nobody their URLs', async () => {
    const { nodes, endpoints, changes, pass } = endpointsOf(2);
    nodes[0].trouble = unreachable;
    await pass(1);
    expect(changes).toEqual(['0 UNREACHABLE', '1 well']);
    const told = JSON.stringify(endpoints.statuses(), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(told).toContain('node-0.test');
    expect(told).not.toMatch(/secret|access-key/);
  });
});

describe('the head of an endpoint', () => {
  it('that stands still while another moves is not used, until it moves', async () => {
    const { nodes, faults, pass } = endpointsOf(2);
    await pass(0);
    nodes[1].head += 1n;
    await pass(1_000);
    nodes[1].head += 1n;
    await pass(STUCK_AFTER_MS);
    expect(faults()).toEqual([undefined, undefined]);
    await pass(1);
    expect(faults()).toEqual([EndpointFault.STUCK, undefined]);
    nodes[0].head += 1n;
    await pass(1);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('may be behind, as long as it moves, and above, as long as the truth moves', async () => {
    const { nodes, faults, pass } = endpointsOf(2);
    // Either the first is late or the second makes blocks up.
    nodes[1].head += 5n;
    for (let rounds = 0; rounds < 10; rounds++) {
      await pass(STUCK_AFTER_MS);
      for (const node of nodes) node.head += 1n;
    }
    expect(faults()).toEqual([undefined, undefined]);
    // Nothing happens on the chain: the distance stays.
    await pass(2 * STUCK_AFTER_MS);
    await pass(2 * STUCK_AFTER_MS);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('that is old by the clock is not used while another is new', async () => {
    const { nodes, clock, faults, pass } = endpointsOf(2);
    const newBlocks = (late: number): void => {
      const now = DAY + clock.steady / 1_000;
      for (const [index, node] of nodes.entries()) {
        node.head += 1n;
        node.timestamp = index === 0 ? now - late : now;
      }
    };
    const late = OLD_AFTER_MS / 1_000;
    newBlocks(late);
    await pass(0);
    expect(faults()).toEqual([undefined, undefined]);
    newBlocks(late + 1);
    await pass(0);
    expect(faults()).toEqual([EndpointFault.OLD, undefined]);
    // A block from the future makes nothing look old that is not.
    newBlocks(0);
    nodes[1].timestamp += 3_600;
    await pass(0);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('counts as far as another has come, where another is well', async () => {
    const { nodes, endpoints, pass } = endpointsOf(3);
    nodes[1].head = 90n;
    nodes[2].head = 95n;
    const picked = endpoints.pick();
    expect(await picked.seconded(100n)).toBe(95n);
    nodes[2].head = 100n;
    expect(await picked.seconded(100n)).toBe(100n);
    nodes[2].trouble = unreachable;
    expect(await picked.seconded(100n)).toBe(90n);
    nodes[1].trouble = unreachable;
    await pass(0);
    expect(await picked.seconded(100n)).toBe(100n);
  });
});

describe('an endpoint that contradicts itself', () => {
  it('is asked last for a while, whatever it says of its head', async () => {
    const { endpoints, faults, used, pass } = endpointsOf(2);
    expect(endpoints.pick().distrust()).toBe(true);
    endpoints.pick();
    expect(used()).toBe(1);
    await pass(59_999);
    expect(faults()).toEqual([EndpointFault.INCONSISTENT, undefined]);
    await pass(1);
    expect(faults()).toEqual([undefined, undefined]);
  });

  it('is kept if there is no other one', async () => {
    const { endpoints, faults } = endpointsOf(1);
    expect(endpoints.pick().distrust()).toBe(false);
    expect(faults()).toEqual([undefined]);
  });
});

describe('a transaction', () => {
  it('goes to all endpoints, and it is enough if one takes it', async () => {
    const { nodes, endpoints } = endpointsOf(3, { timeoutMs: 60_000 });
    nodes[0].trouble = hanging;
    nodes[1].trouble = (method) =>
      method === 'eth_chainId' ? undefined : rpcError(-32000, 'mempool is full')();
    await broadcast(endpoints.client, '0x01');
    for (const { asked } of nodes.slice(1)) expect(asked).toContain('eth_sendRawTransaction');
    expect(nodes[0].asked).toEqual(['eth_chainId']);
  });

  it('that one endpoint has already is not refused, whatever others say', async () => {
    const { nodes, endpoints } = endpointsOf(3);
    const says = (message: string) => (method: string) =>
      method === 'eth_chainId' ? undefined : rpcError(-32000, message)();
    nodes[0].trouble = unreachable;
    nodes[1].trouble = says('insufficient funds');
    nodes[2].trouble = unreachable;
    await expect(broadcast(endpoints.client, '0x01')).rejects.toMatchObject({
      code: ChainErrorCode.INSUFFICIENT_FUNDS,
    });
    nodes[2].trouble = says('already known');
    await broadcast(endpoints.client, '0x01');
  });
});
