import { parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Endpoints } from '../../../workers/chain/endpoints.ts';
import { TransactionSender } from '../../../workers/chain/sender.ts';
import {
  GatewayWatcher,
  type GatewayUpdate,
  type WatcherOptions,
} from '../../../workers/chain/watcher.ts';
import type { Store } from '../../../workers/store/store.ts';
import { RpcProxy, type RpcFault } from '../../faults/rpc-proxy.ts';
import { temporaryStores } from '../store/support.ts';
import {
  announce,
  deployGateway,
  registerOperator,
  send,
  type TestDeployment,
} from './support/deployment.ts';
import { account, startNode, type TestNode } from './support/node.ts';

const { directory, open } = temporaryStores();
const operator = account(1);
const signer = privateKeyToAccount(`0x${'7'.repeat(64)}`);
let node: TestNode;
let deployment: TestDeployment;
let first: RpcProxy;

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
  await registerOperator(node, deployment, operator, signer.address);
  await node.control.setBalance({ address: signer.address, value: parseEther('1') });
  first = await RpcProxy.start(node.rpcUrl);
});
afterAll(async () => {
  await first?.close();
  await node?.stop();
});
afterEach(async () => {
  await first.forward();
  first.lies.repent();
});

/** Of an operator that prefers the endpoint which has trouble. */
function endpoints(): Endpoints {
  const both = new Endpoints([first.url, node.rpcUrl], { timeoutMs: 500 });
  both.chainId = 31_337n;
  return both;
}

const watcherOf = (store: Store, options: Partial<WatcherOptions> = {}): GatewayWatcher =>
  new GatewayWatcher({
    source: endpoints(),
    addresses: deployment.addresses,
    journal: store.blocks,
    ...{ confirmations: 0, pollMs: 20, fromBlock: deployment.deploymentBlock },
    ...options,
  });

const portsOf = (updates: readonly GatewayUpdate[]): (string | number)[] =>
  updates.flatMap<string | number>((update) =>
    update.kind === 'reorganised'
      ? ['reorganised']
      : update.events.flatMap<string | number>((event) =>
          event.eventName === 'EndpointsUpdated'
            ? [Number(event.args.multiaddr.split('/').at(-1))]
            : [],
        ),
  );

/** Takes updates until one of them announces a port. */
async function takeUntil(port: number, watcher: GatewayWatcher): Promise<GatewayUpdate[]> {
  const updates: GatewayUpdate[] = [];
  const stop = new AbortController();
  for await (const update of watcher.watch(stop.signal)) {
    updates.push(update);
    if (portsOf([update]).includes(port)) stop.abort();
  }
  return updates;
}

const announcePort = (port: number) => send(node, operator, announce(deployment, port));

/** What is journaled of the chain by who sees nothing but the truth. */
async function truth(port: number) {
  const store = await open(directory());
  const source = new Endpoints([node.rpcUrl]);
  await takeUntil(port, watcherOf(store, { source }));
  return store.blocks.head();
}

describe('blocks', () => {
  it.each<[string, RpcFault]>([
    ['goes down', { kind: 'down' }],
    ['hangs', { kind: 'hanging' }],
    ['is too slow', { kind: 'slow', ms: 60_000 }],
    ['is overloaded', { kind: 'status', status: 503 }],
    ['answers in HTML', { kind: 'garbage' }],
    ['breaks off', { kind: 'truncated' }],
  ])('are read on from another endpoint when one %s', async (_, fault) => {
    const store = await open(directory());
    const watcher = watcherOf(store);
    await announcePort(10);
    await takeUntil(10, watcher);
    await first.fail(fault);
    await announcePort(11);
    expect(portsOf(await takeUntil(11, watcher))).toEqual([11]);
    expect(store.blocks.head()).toEqual(await truth(11));
  });

  it('that only one endpoint has are not read', async () => {
    const store = await open(directory());
    first.lies.head({ kind: 'ahead', blocks: 50n });
    const watcher = watcherOf(store);
    for (const port of [20, 21, 22]) {
      await announcePort(port);
      await takeUntil(port, watcher);
      expect(store.blocks.scanned()?.height).toBe(await node.client.getBlockNumber());
    }
    expect(store.blocks.head()).toEqual(await truth(22));
  });

  it('of another branch, at another endpoint, take the place of those read before', async () => {
    const store = await open(directory());
    const watcher = watcherOf(store);
    await announcePort(30);
    const snapshot = await node.control.snapshot();
    await announcePort(31);
    await takeUntil(31, watcher);
    await first.fail({ kind: 'down' });
    await node.control.revert({ id: snapshot });
    await announcePort(32);
    await node.control.mine({ blocks: 2 });
    expect(portsOf(await takeUntil(32, watcher))).toEqual(['reorganised', 32]);
    expect(store.blocks.head()).toEqual(await truth(32));
  });

  it('that are not confirmed when they vanish were never seen', async () => {
    const store = await open(directory());
    const watcher = watcherOf(store, { confirmations: 3 });
    await announcePort(40);
    await node.control.mine({ blocks: 3 });
    await takeUntil(40, watcher);
    const snapshot = await node.control.snapshot();
    for (const port of [41, 42, 43]) await announcePort(port);
    await node.control.revert({ id: snapshot });
    await announcePort(44);
    await node.control.mine({ blocks: 4 });
    expect(portsOf(await takeUntil(44, watcher))).toEqual([44]);
  });

  it('are undone down to the first of the gateway where the chain lost all of them', async () => {
    const store = await open(directory());
    const snapshot = await node.control.snapshot();
    const ports = [50, 51, 52, 53];
    for (const port of ports) await announcePort(port);
    await takeUntil(53, watcherOf(store, { maxRange: 1 }));
    await node.control.revert({ id: snapshot });
    await node.control.mine({ blocks: 5 });
    await announcePort(54);
    const updates = await takeUntil(54, watcherOf(store));
    expect(portsOf(updates)).toEqual(['reorganised', 54]);
    expect(store.blocks.head()).toEqual(await truth(54));
  });
});

describe('a transaction', () => {
  const senderOf = (store: Store): TransactionSender =>
    new TransactionSender({
      ...{ client: endpoints().client, chainId: 31_337n, account: signer },
      ...{ journal: store.transactions, pollMs: 10 },
    });
  const announced = async (): Promise<number> => {
    const { abi, address } = announce(deployment, 0);
    const entry = await node.client.readContract({
      ...{ abi, address, functionName: 'getOperator', args: [operator.address] },
    });
    return Number(entry.multiaddr.split('/').at(-1));
  };

  it('that an endpoint takes and hands on to nobody is mined', async () => {
    const sender = senderOf(await open(directory()));
    first.lies.swallowTransactions();
    await sender.submit('a', announce(deployment, 60), async () => false);
    expect(await announced()).toBe(60);
    await sender.stop();
  });

  it('that a reorganisation takes away is sent again for whoever asks again', async () => {
    const sender = senderOf(await open(directory()));
    const isDone = async (): Promise<boolean> => (await announced()) === 61;
    const snapshot = await node.control.snapshot();
    await sender.submit('a', announce(deployment, 61), isDone);
    expect(await sender.submit('a', announce(deployment, 61), isDone)).toBe('already-done');
    await node.control.revert({ id: snapshot });
    expect(await announced()).not.toBe(61);
    await node.control.mine({ blocks: 3 });
    await sender.submit('a', announce(deployment, 61), isDone);
    expect(await announced()).toBe(61);
    expect(sender.spending.counts).toMatchObject({ sent: 2, succeeded: 2 });
    await sender.stop();
  });
});
