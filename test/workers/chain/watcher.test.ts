import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RpcLog } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChainErrorCode, type ChainError } from '../../../workers/chain/errors.ts';
import {
  GatewayWatcher,
  type GatewayUpdate,
  type WatcherOptions,
} from '../../../workers/chain/watcher.ts';
import type { Store } from '../../../workers/store/store.ts';
import { temporaryStores } from '../store/support.ts';
import {
  announce,
  deployGateway,
  registerOperator,
  send,
  type TestDeployment,
} from './support/deployment.ts';
import { account, meddlingClient, sourceOf, startNode, type TestNode } from './support/node.ts';

const { directory, open } = temporaryStores();
let node: TestNode;
let deployment: TestDeployment;
const operator = account(1);

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
  await registerOperator(node, deployment, operator, account(2).address);
});
afterAll(() => node?.stop());

/** A watcher of the whole deployment over the journal of a store. */
function watcherOf(store: Store, options: Partial<WatcherOptions> = {}) {
  const warnings: ChainError[] = [];
  const watcher = new GatewayWatcher({
    source: sourceOf(node.client),
    addresses: deployment.addresses,
    journal: store.blocks,
    confirmations: 0,
    pollMs: 20,
    fromBlock: deployment.deploymentBlock,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return { watcher, warnings };
}

/** Takes updates until `enough` is content with them. */
async function take(
  watcher: GatewayWatcher,
  enough: (updates: GatewayUpdate[]) => boolean,
): Promise<GatewayUpdate[]> {
  const updates: GatewayUpdate[] = [];
  const stop = new AbortController();
  for await (const update of watcher.watch(stop.signal)) {
    updates.push(update);
    if (enough(updates)) stop.abort();
  }
  return updates;
}

const portsOf = (updates: Iterable<GatewayUpdate>) =>
  [...updates].flatMap((update): (string | number)[] =>
    update.kind === 'reorganised'
      ? ['reorganised']
      : update.events.map((event) =>
          event.eventName === 'EndpointsUpdated'
            ? Number(event.args.multiaddr.split('/').at(-1))
            : event.eventName,
        ),
  );

const announcePort = (port: number) => send(node, operator, announce(deployment, port));
const until = (port: number) => (updates: GatewayUpdate[]) => portsOf(updates).includes(port);

/** What a fresh watcher of an honest node makes of the chain up to a port. */
async function freshView(port: number) {
  const store = await open(directory());
  await take(watcherOf(store).watcher, until(port));
  return store.blocks.head();
}

describe('GatewayWatcher', () => {
  it('gives every block with logs in order, and goes on after a restart', async () => {
    const path = directory();
    const store = await open(path);
    for (const port of [10, 11, 12]) await announcePort(port);
    const before = await take(watcherOf(store, { maxRange: 1 }).watcher, until(11));
    store.close();

    const again = await open(path);
    const { watcher } = watcherOf(again);
    expect(portsOf(watcher.replay()).slice(-2)).toEqual([10, 11]);
    expect(portsOf(watcher.replay())).toContain('OperatorRegistered');
    await announcePort(13);
    const after = await take(watcher, until(13));
    expect(portsOf(before).slice(-2)).toEqual([10, 11]);
    expect(portsOf(after)).toEqual([12, 13]);
    const heights = [...watcher.replay()].map(({ height }) => height);
    expect(heights).toEqual([...new Set(heights)].sort((a, b) => Number(a - b)));
    expect(await freshView(13)).toEqual(again.blocks.head());
  });

  it.each(['logs', 'hash', 'logsDigest'] as const)(
    'forgets and reads again what is not as it was journaled (%s)',
    async (field) => {
      const path = directory();
      const store = await open(path);
      for (const port of [14, 15]) await announcePort(port);
      await take(watcherOf(store).watcher, until(15));
      const blocks = [...store.blocks.iterate()];
      const { height } = blocks.at(-2);
      store.close();
      const raw = new DatabaseSync(join(path, 'state.db'));
      const damage = {
        logs: `logs = substr(logs, 1, 40)`,
        hash: `hash = '0x${'5a'.repeat(32)}'`,
        logsDigest: `logs_digest = '0x${'5a'.repeat(32)}'`,
      };
      raw.exec(`UPDATE blocks SET ${damage[field]} WHERE height = ${height}`);
      raw.close();
      const again = await open(path);
      const { watcher, warnings } = watcherOf(again);
      expect([...watcher.replay()]).toHaveLength(blocks.length - 2);
      expect(warnings).toMatchObject([{ code: ChainErrorCode.JOURNAL_DAMAGED }]);
      await take(watcher, until(15));
      expect([...again.blocks.iterate()]).toEqual(blocks);
    },
  );

  it('waits for confirmations', async () => {
    const store = await open(directory());
    const { watcher } = watcherOf(store, { confirmations: 3 });
    await announcePort(20);
    await announcePort(21);
    await node.control.mine({ blocks: 2 });
    const updates = await take(watcher, until(20));
    expect(portsOf(updates)).not.toContain(21);
    expect(store.blocks.scanned()?.height).toBe((await node.client.getBlockNumber()) - 3n);
    await node.control.mine({ blocks: 1 });
    expect(portsOf(await take(watcher, until(21)))).toEqual([21]);
  });

  it('undoes blocks that a reorganisation removed', async () => {
    const store = await open(directory());
    const { watcher } = watcherOf(store);
    await announcePort(30);
    const snapshot = await node.control.snapshot();
    const lost = await announcePort(31);
    await announcePort(32);
    await take(watcher, until(32));

    await node.control.revert({ id: snapshot });
    // The new branch is no longer than what was read: there is no new block to look at.
    await announcePort(33);
    await node.control.mine({ blocks: 1 });
    const updates = await take(watcher, until(33));
    expect(updates[0]).toEqual({ kind: 'reorganised', height: lost.blockNumber });
    expect(portsOf(updates)).toEqual(['reorganised', 33]);
    expect(portsOf(watcher.replay()).slice(-2)).toEqual([30, 33]);
    expect(await freshView(33)).toEqual(store.blocks.head());
  });

  it('finds a log that a reorganisation put below what it has read, also after a restart', async () => {
    const path = directory();
    const store = await open(path);
    await announcePort(40);
    const snapshot = await node.control.snapshot();
    await node.control.mine({ blocks: 4 });
    await take(watcherOf(store).watcher, until(40));
    store.close();

    await node.control.revert({ id: snapshot });
    await announcePort(41);
    await node.control.mine({ blocks: 4 });
    const again = await open(path);
    expect(portsOf(await take(watcherOf(again).watcher, until(41)))).toEqual([41]);
    expect(await freshView(41)).toEqual(again.blocks.head());
  });

  it('notices a reorganisation that happens while it reads', async () => {
    const store = await open(directory());
    await announcePort(45);
    const snapshot = await node.control.snapshot();
    await node.control.mine({ blocks: 3 });
    await take(watcherOf(store).watcher, until(45));
    await node.control.mine({ blocks: 1 });

    // The first block asked for is the last one read before; the second is on the new branch.
    let asked = 0;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) => {
      if (method === 'eth_getBlockByNumber' && ++asked === 2) {
        await node.control.revert({ id: snapshot });
        await announcePort(46);
        await node.control.mine({ blocks: 5 });
      }
      return forward();
    });
    expect(
      portsOf(await take(watcherOf(store, { source: sourceOf(client) }).watcher, until(46))),
    ).toEqual([46]);
    expect(await freshView(46)).toEqual(store.blocks.head());
  });

  it('waits while the endpoint is behind', async () => {
    const store = await open(directory());
    await announcePort(50);
    await take(watcherOf(store).watcher, until(50));
    await announcePort(51);
    let behind = 2;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) =>
      method === 'eth_blockNumber' && behind-- > 0 ? '0x1' : forward(),
    );
    const { watcher, warnings } = watcherOf(store, { source: sourceOf(client) });
    expect(portsOf(await take(watcher, until(51)))).toEqual([51]);
    expect(warnings.map(({ code }) => code)).toEqual([
      ChainErrorCode.CHAIN_BEHIND,
      ChainErrorCode.CHAIN_BEHIND,
    ]);
  });

  it('asks for fewer blocks at once where the endpoint refuses many', async () => {
    const store = await open(directory());
    await announcePort(60);
    const client = meddlingClient(node.rpcUrl, async ({ method, params }, forward) => {
      if (method === 'eth_getLogs') {
        const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
        if (Number(toBlock) - Number(fromBlock) >= 3) throw new Error('range too large');
      }
      return forward();
    });
    const { watcher, warnings } = watcherOf(store, { source: sourceOf(client) });
    await take(watcher, until(60));
    expect(warnings.map(({ code }) => code)).toContain(ChainErrorCode.RPC_FAILED);
    expect(await freshView(60)).toEqual(store.blocks.head());
  });

  it('reads blocks again when told to', async () => {
    const store = await open(directory());
    let withhold = true;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) => {
      const answer = await forward();
      return method === 'eth_getLogs' && withhold ? (answer as RpcLog[]).slice(1) : answer;
    });
    const { watcher } = watcherOf(store, { source: sourceOf(client) });
    await announcePort(70);
    await take(watcher, until(70));
    const honest = await freshView(70);
    expect(store.blocks.head()?.logsDigest).not.toBe(honest?.logsDigest);

    withhold = false;
    watcher.rewind(deployment.deploymentBlock);
    const updates = await take(watcher, until(70));
    expect(updates[0]).toEqual({ kind: 'reorganised', height: deployment.deploymentBlock });
    expect(store.blocks.head()).toEqual(honest);
  });
});

describe('an endpoint that lies', () => {
  beforeAll(async () => {
    await announcePort(80);
    await announcePort(81);
  });

  const change =
    (lie: (logs: RpcLog[]) => unknown, times = Infinity) =>
    () =>
      meddlingClient(node.rpcUrl, async ({ method }, forward) => {
        const answer = await forward();
        return method === 'eth_getLogs' && times-- > 0 ? lie(answer as RpcLog[]) : answer;
      });
  const last = (logs: RpcLog[]) => logs.at(-1) as RpcLog & { logIndex: string };
  const replaceLast = (fields: Partial<RpcLog>) => (logs: RpcLog[]) =>
    [...logs.slice(0, -1), { ...last(logs), ...fields }] as RpcLog[];
  const word = (digit: string) => `0x${digit.repeat(64)}` as const;

  it.each<[string, (logs: RpcLog[]) => RpcLog[]]>([
    ['adds a log', (logs) => [...logs, { ...last(logs), logIndex: '0x63' }]],
    ['withholds a log', (logs) => logs.slice(1)],
    ['alters data', (logs) => replaceLast({ data: `${last(logs).data}00` as `0x${string}` })(logs)],
    ['alters a topic', (logs) => replaceLast({ topics: [word('1')] })(logs)],
  ])('that %s ends up with another digest, but keeps running', async (_, lie) => {
    const store = await open(directory());
    const { watcher } = watcherOf(store, { source: sourceOf(change(lie)()) });
    const { height } = (await freshView(81))!;
    await take(watcher, (updates) => updates.at(-1)?.kind === 'block' && updates.length > 2);
    while ((store.blocks.scanned()?.height ?? 0n) < height) await take(watcher, () => true);
    const honest = await open(directory());
    await take(watcherOf(honest).watcher, until(81));
    expect(store.blocks.head()?.logsDigest).not.toBe(honest.blocks.head()?.logsDigest);
  });

  it.each<[string, (logs: RpcLog[]) => unknown]>([
    ['of another contract', replaceLast({ address: `0x${'12'.repeat(20)}` })],
    ['of another block hash', replaceLast({ blockHash: word('1') })],
    ['outside the range', replaceLast({ blockNumber: '0x1' })],
    ['out of order', (logs) => logs.toReversed()],
    ['twice', (logs) => [...logs, last(logs)]],
    ['that was removed', replaceLast({ removed: true })],
    ['with five topics', replaceLast({ topics: Array(5).fill(word('1')) as [`0x${string}`] })],
    ['with a short topic', replaceLast({ topics: ['0x12'] })],
    ['with odd data', replaceLast({ data: '0x123' })],
    ['without a block hash', replaceLast({ blockHash: null })],
    ['without a number', replaceLast({ blockNumber: null })],
    ['without topics', replaceLast({ topics: undefined as unknown as [`0x${string}`] })],
    ['that is null', () => [null]],
    ['instead of a list', () => ({ not: 'a list' })],
    ['as a string', () => 'logs'],
  ])('about a log %s is asked again', async (_, lie) => {
    const store = await open(directory());
    const { watcher, warnings } = watcherOf(store, { source: sourceOf(change(lie, 1)()) });
    await take(watcher, until(81));
    expect(warnings).toHaveLength(1);
    expect([ChainErrorCode.LOGS_INCONSISTENT, ChainErrorCode.RPC_FAILED]).toContain(
      warnings[0]?.code,
    );
    expect(await freshView(81)).toEqual(store.blocks.head());
  });
});
