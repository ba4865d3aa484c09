import { encodeFunctionData, parseEther, parseGwei, type Hex, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operatorRegistryAbi } from '../../../workers/chain/abi.ts';
import { ChainErrorCode, type ChainError } from '../../../workers/chain/errors.ts';
import { defaultCaps } from '../../../workers/chain/fees.ts';
import { TransactionSender, type SenderOptions } from '../../../workers/chain/sender.ts';
import { signTransaction } from '../../../workers/chain/transactions.ts';
import type { Store } from '../../../workers/store/store.ts';
import { StoreError, StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores } from '../store/support.ts';
import {
  announce,
  deployGateway,
  registerOperator,
  type TestDeployment,
} from './support/deployment.ts';
import { account, meddlingClient, startNode, type TestNode } from './support/node.ts';

const { directory, open } = temporaryStores();
let node: TestNode;
let deployment: TestDeployment;
let signer: LocalAccount;
let store: Store;
let senders: TransactionSender[] = [];
let warnings: ChainError[] = [];
let accounts = 0;

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
});
afterAll(() => node?.stop());

beforeEach(async () => {
  // A fresh signer for each test, which may announce addresses of its operator.
  accounts += 1;
  signer = privateKeyToAccount(`0x${(0xabc000 + accounts).toString(16).padStart(64, '0')}`);
  for (const { address } of [signer, account(accounts)]) {
    await node.control.setBalance({ address, value: parseEther('1') });
  }
  await registerOperator(node, deployment, account(accounts), signer.address);
  store = await open(directory());
  warnings = [];
});
afterEach(async () => {
  await Promise.all(senders.map((sender) => sender.stop()));
  senders = [];
  await node.control.setAutomine(true);
  await node.control.mine({ blocks: 1 });
});

function senderWith(options: Partial<SenderOptions> = {}) {
  const sender = new TransactionSender({
    client: node.client,
    chainId: 31337n,
    account: signer,
    journal: store.transactions,
    pollMs: 10,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  senders.push(sender);
  return sender;
}

const notDone = async () => false;
const call = (port: number) => announce(deployment, port);
const nonce = () => node.client.getTransactionCount({ address: signer.address });
const announced = async () => {
  const { abi, address } = call(0);
  const operator = account(accounts).address;
  const entry = await node.client.readContract({
    ...{ abi, address, functionName: 'getOperator', args: [operator] },
  });
  return Number(entry.multiaddr.split('/').at(-1));
};

/** Polls until a condition of the node or the journal holds. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { interval: 10, timeout: 30_000 }).toBe(true);
}
const inMempool = async (hash: Hex) =>
  (await node.client.getBlock({ blockTag: 'pending' })).transactions.includes(hash);
const attempts = () => store.transactions.pending().flatMap((entry) => entry.attempts);

describe('submit', () => {
  it('sends a call once, however often it is asked for meanwhile', async () => {
    const sender = senderWith();
    const [first, second] = await Promise.all([
      sender.submit('a', call(1), notDone),
      sender.submit('a', call(2), notDone),
    ]);
    expect(first).toMatchObject({ status: 'success' });
    expect(second).toBe(first);
    expect(await announced()).toBe(1);
    expect(await nonce()).toBe(1);
    expect(store.transactions.pending()).toEqual([]);
  });

  it('gives each of many calls its own nonce', async () => {
    const sender = senderWith();
    const ports = Array.from({ length: 12 }, (_, i) => 100 + i);
    const receipts = await Promise.all(
      ports.map((port) => sender.submit(`port ${port}`, call(port), notDone)),
    );
    expect(receipts.every((receipt) => receipt !== 'already-done')).toBe(true);
    expect(await nonce()).toBe(12);
    expect(warnings).toEqual([]);
  });

  it('sends nothing for what is done already', async () => {
    const outcome = await senderWith().submit('a', call(1), async () => true);
    expect(outcome).toBe('already-done');
    expect(await nonce()).toBe(0);
  });

  it("names the contract's error and sends nothing", async () => {
    const { address, abi } = call(0);
    const bad = { address, abi, functionName: 'updateEndpoints', args: ['', ''] } as const;
    const sender = senderWith();
    await expect(sender.submit('a', bad, notDone)).rejects.toMatchObject({
      code: ChainErrorCode.REVERTED,
      metadata: { errorName: 'OperatorRegistryMultiaddrLength', errorArgs: '["0","256"]' },
    });
    expect(await nonce()).toBe(0);
    expect(store.transactions.pending()).toEqual([]);
    expect(sender.spending.counts).toMatchObject({ sent: 0, refused: 1 });
  });

  it('does not take a refusal for a failure if somebody else was faster', async () => {
    const { address, abi } = call(0);
    const bad = { address, abi, functionName: 'updateEndpoints', args: ['', ''] } as const;
    let asked = 0;
    const outcome = await senderWith().submit('a', bad, async () => ++asked > 1);
    expect(outcome).toBe('already-done');
  });

  it('refuses more gas than the cap', async () => {
    const caps = { ...defaultCaps, gas: 30_000n };
    await expect(senderWith({ caps }).submit('a', call(1), notDone)).rejects.toMatchObject({
      code: ChainErrorCode.GAS_CAP_EXCEEDED,
    });
  });

  it('never offers more than the cap, whatever the endpoint asks for', async () => {
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) =>
      method === 'eth_maxPriorityFeePerGas' ? '0xffffffffffffffff' : forward(),
    );
    const receipt = await senderWith({ client }).submit('a', call(1), notDone);
    if (receipt === 'already-done') throw new Error('nothing was sent');
    const sent = await node.client.getTransaction({ hash: receipt.transactionHash });
    expect(sent.maxPriorityFeePerGas).toBe(defaultCaps.maxPriorityFeePerGas);
    expect(sent.maxFeePerGas).toBeLessThanOrEqual(defaultCaps.maxFeePerGas);
  });

  it('waits for the wanted number of confirmations', async () => {
    const outcome = senderWith({ confirmations: 3 }).submit('a', call(1), notDone);
    await until(async () => (await nonce()) === 1);
    expect(store.transactions.pending()).toHaveLength(1);
    await node.control.mine({ blocks: 2 });
    expect(await outcome).toMatchObject({ status: 'success' });
  });

  it('works where blocks are made at intervals', async () => {
    await node.control.setAutomine(false);
    const sender = senderWith();
    const outcomes = Promise.all([1, 2, 3].map((p) => sender.submit(`${p}`, call(p), notDone)));
    await node.control.setIntervalMining({ interval: 1 });
    expect((await outcomes).map((outcome) => outcome !== 'already-done')).toEqual([
      true,
      true,
      true,
    ]);
    await node.control.setIntervalMining({ interval: 0 });
  });

  it('fails with STOPPED when it is stopped', async () => {
    await node.control.setAutomine(false);
    const sender = senderWith();
    const outcome = sender.submit('a', call(1), notDone);
    const stopped = expect(outcome).rejects.toMatchObject({ code: ChainErrorCode.STOPPED });
    await until(() => attempts().length === 1);
    await sender.stop();
    await stopped;
    await expect(sender.submit('b', call(1), notDone)).rejects.toMatchObject({
      code: ChainErrorCode.STOPPED,
    });
  });

  it('signs nothing when its journal fails', async () => {
    store.close();
    await expect(senderWith().submit('a', call(1), notDone)).rejects.toMatchObject({
      code: StoreErrorCode.STATE_UNREADABLE,
    });
    expect(await nonce()).toBe(0);
  });

  it('sends once there is room for its journal again', async () => {
    const { transactions } = store;
    let isFull = true;
    const journal: SenderOptions['journal'] = {
      pending: () => transactions.pending(),
      settle: (settled) => transactions.settle(settled),
      record: (...entry) => {
        if (isFull) throw new StoreError(StoreErrorCode.DISK_FULL, 'no room');
        transactions.record(...entry);
      },
    };
    const sender = senderWith({ journal });
    await expect(sender.submit('a', call(1), notDone)).rejects.toMatchObject({
      code: StoreErrorCode.DISK_FULL,
    });
    expect(await nonce()).toBe(0);
    isFull = false;
    expect(await sender.submit('a', call(1), notDone)).toMatchObject({ status: 'success' });
  });
});

describe('after a crash', () => {
  /** Signs and journals, but never gets to broadcast. */
  async function crashBeforeBroadcast() {
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) => {
      if (method === 'eth_sendRawTransaction') throw new Error('connection lost');
      return forward();
    });
    const sender = senderWith({ client });
    sender.submit('a', call(1), notDone).catch(() => undefined);
    await until(() => attempts().length === 1);
    await sender.stop();
    expect(await nonce()).toBe(0);
  }

  it('broadcasts what was journaled, and takes it for the same purpose', async () => {
    await crashBeforeBroadcast();
    const [journaled] = attempts();
    const receipt = await senderWith().submit('a', call(2), notDone);
    expect(receipt).toMatchObject({ transactionHash: journaled?.hash, status: 'success' });
    expect(await announced()).toBe(1);
    expect(await nonce()).toBe(1);
  });

  it('broadcasts it also when nobody asks again', async () => {
    await crashBeforeBroadcast();
    senderWith().start();
    await until(() => store.transactions.pending().length === 0);
    expect(await announced()).toBe(1);
  });

  it('gives the next purpose the next nonce', async () => {
    await crashBeforeBroadcast();
    await senderWith().submit('b', call(2), notDone);
    expect(await nonce()).toBe(2);
  });
});

describe('what gets lost or stuck', () => {
  beforeEach(() => node.control.setAutomine(false));

  /** Makes a block in which there is no room for what is pending at the present price. */
  async function passOver() {
    await node.control.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('30') });
    await node.control.mine({ blocks: 1 });
  }

  it('stays as it is when a replacement would exceed the cap', async () => {
    const tight = { ...defaultCaps, maxPriorityFeePerGas: parseGwei('1') };
    const outcome = senderWith({ bumpAfterMs: 0, caps: tight }).submit('a', call(1), notDone);
    await until(() => attempts().length === 1);
    const [{ hash }] = attempts();
    await until(() => inMempool(hash));
    await passOver();
    await until(() => warnings.some(({ code }) => code === ChainErrorCode.FEE_CAP_REACHED));
    await node.control.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('1') });
    await until(() => inMempool(hash));
    await node.control.mine({ blocks: 1 });
    expect(await outcome).toMatchObject({ transactionHash: hash });
  });

  it('is given up when somebody else serves the purpose, at the price of a transfer', async () => {
    let done = false;
    const first = senderWith();
    const outcome = first.submit('a', call(1), async () => done);
    await until(() => attempts().length === 1);
    done = true;
    expect(await outcome).toBe('already-done');
    await first.stop();

    senderWith({ bumpAfterMs: 0 }).start();
    await until(async () => {
      await passOver();
      return store.transactions.pending().length === 0;
    });
    expect(await nonce()).toBe(1);
    expect(await announced()).not.toBe(1);
  });

  it('says why a mined transaction reverted', async () => {
    // Executed alone the call succeeds; mined with too little gas it does not.
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) =>
      method === 'eth_estimateGas' ? '0x6000' : forward(),
    );
    const sender = senderWith({ client });
    const outcome = sender.submit('a', call(1), notDone);
    const refused = expect(outcome).rejects.toMatchObject({ code: ChainErrorCode.REVERTED });
    await until(() => attempts().length === 1);
    await until(() => inMempool(attempts()[0].hash));
    await node.control.mine({ blocks: 1 });
    await refused;
    expect(store.transactions.pending()).toEqual([]);
    expect(sender.spending.counts).toMatchObject({ sent: 1, succeeded: 0, reverted: 1 });
  });
});

describe('nonce gaps', () => {
  const { maxFeePerGas, maxPriorityFeePerGas } = defaultCaps;
  const terms = { gas: 200_000n, maxFeePerGas, maxPriorityFeePerGas };

  async function journal(key: string, port: number, nonce: number) {
    const { address } = call(port);
    const data = encodeFunctionData({ ...call(port), abi: operatorRegistryAbi });
    const payload = { to: address, data };
    store.transactions.record(
      nonce,
      key,
      await signTransaction(signer, 31337n, payload, { ...terms, nonce }),
    );
  }

  it('are filled, so that later transactions are mined', async () => {
    await journal('c', 3, 2);
    senderWith().start();
    await until(() => store.transactions.pending().length === 0);
    expect(await nonce()).toBe(3);
    expect(await announced()).toBe(3);
  });

  it('are used by new transactions first', async () => {
    await journal('b', 2, 1);
    await senderWith().submit('a', call(1), notDone);
    await until(() => store.transactions.pending().length === 0);
    expect(await nonce()).toBe(2);
    expect(await announced()).toBe(2);
  });

  it('that a lying endpoint made are not filled but abandoned', async () => {
    let lies = 1;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) =>
      method === 'eth_getTransactionCount' && lies-- > 0 ? '0x3b9aca00' : forward(),
    );
    const receipt = await senderWith({ client }).submit('a', call(1), notDone);
    expect(receipt).toMatchObject({ status: 'success' });
    expect(await nonce()).toBe(1);
    expect(store.transactions.pending()).toEqual([]);
  });

  it('do not arise when an endpoint says too low a count', async () => {
    await senderWith().submit('a', call(1), notDone);
    let lies = 1;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) =>
      method === 'eth_getTransactionCount' && lies-- > 0 ? '0x0' : forward(),
    );
    const receipt = await senderWith({ client }).submit('b', call(2), notDone);
    expect(receipt).toMatchObject({ status: 'success' });
    expect(await nonce()).toBe(2);
  });
});

describe('an endpoint that fails', () => {
  it('is asked again, with a warning', async () => {
    let failures = 3;
    const client = meddlingClient(node.rpcUrl, async (_, forward) => {
      if (failures-- > 0) throw new Error('bad gateway');
      return forward();
    });
    const receipt = await senderWith({ client }).submit('a', call(1), notDone);
    expect(receipt).toMatchObject({ status: 'success' });
    expect(warnings).toHaveLength(3);
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set([ChainErrorCode.RPC_FAILED]));
  });

  it('that loses an answer to a broadcast does not make it a second transaction', async () => {
    let lost = 1;
    const client = meddlingClient(node.rpcUrl, async ({ method }, forward) => {
      const answer = await forward();
      if (method === 'eth_sendRawTransaction' && lost-- > 0) throw new Error('timeout');
      return answer;
    });
    const receipt = await senderWith({ client }).submit('a', call(1), notDone);
    expect(receipt).toMatchObject({ status: 'success' });
    expect(await nonce()).toBe(1);
  });
});
