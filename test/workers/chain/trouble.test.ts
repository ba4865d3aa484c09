import { keccak256, parseAbi, parseEther, parseGwei, type Hex, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { broadcast } from '../../../workers/chain/broadcast.ts';
import { ChainErrorCode, type ChainError } from '../../../workers/chain/errors.ts';
import { defaultCaps } from '../../../workers/chain/fees.ts';
import { TransactionSender, type SenderOptions } from '../../../workers/chain/sender.ts';
import { signTransaction, simulate } from '../../../workers/chain/transactions.ts';
import type { Store } from '../../../workers/store/store.ts';
import { temporaryStores } from '../store/support.ts';
import { meddlingClient, startNode, type Meddle, type TestNode } from './support/node.ts';

// What goes wrong with transactions, on each execution client: their mempools and messages differ
// (docs/chain-trouble.md).

const { directory, open } = temporaryStores();
const gwei = parseGwei('1');
const caps = { ...defaultCaps, maxFeePerGas: 5n * gwei };

/** Contracts in a few bytes: one that takes every call, and some that take none. */
const taking = `0x${'11'.repeat(20)}` as const;
const abi = parseAbi(['function act(uint256 number)']);
const call = { address: taking, abi, functionName: 'act', args: [7n] } as const;
const refusing = {
  'invalid opcode': ['0xfe', ChainErrorCode.REVERTED],
  'all the gas': ['0x63ffffffff51', ChainErrorCode.GAS_CAP_EXCEEDED],
  'custom error': ['0x63aabbccdd6000526004601cfd', ChainErrorCode.REVERTED],
  'empty revert': ['0x60006000fd', ChainErrorCode.REVERTED],
} as const;

describe.each(['hardhat', 'anvil'] as const)('on %s', (client) => {
  let node: TestNode;
  let signer: LocalAccount;
  let store: Store;
  let senders: TransactionSender[] = [];
  let warnings: ChainErrorCode[] = [];
  let accounts = 0;
  let meddle: Meddle;
  let looked: number;

  beforeAll(async () => {
    node = await startNode(client);
    await node.control.setCode({ address: taking, bytecode: '0x00' });
  });
  afterAll(() => node?.stop());

  beforeEach(async () => {
    accounts += 1;
    signer = privateKeyToAccount(`0x${(0xdef000 + accounts).toString(16).padStart(64, '0')}`);
    await node.control.setBalance({ address: signer.address, value: parseEther('1') });
    store = await open(directory());
    warnings = [];
    looked = 0;
    meddle = (_, forward) => forward();
    await node.control.setAutomine(false);
    await block(gwei);
  });
  afterEach(async () => {
    await Promise.all(senders.map((sender) => sender.stop()));
    senders = [];
    // What is left in the mempool goes with the account.
    await node.control.setBalance({ address: signer.address, value: 0n });
  });

  function senderWith(options: Partial<SenderOptions> = {}) {
    const client = meddlingClient(node.rpcUrl, (request, forward) => {
      if (request.method === 'eth_getTransactionCount') looked += 1;
      return meddle(request, forward);
    });
    const sender = new TransactionSender({
      ...{ client, chainId: 31337n, account: signer, journal: store.transactions },
      ...{ pollMs: 10, onWarning: ({ code }: ChainError) => warnings.push(code) },
      ...options,
    });
    senders.push(sender);
    return sender;
  }

  /** Makes a block, perhaps with this base fee. */
  async function block(baseFeePerGas?: bigint) {
    if (baseFeePerGas !== undefined)
      await node.control.setNextBlockBaseFeePerGas({ baseFeePerGas });
    await node.control.mine({ blocks: 1 });
  }
  const until = (condition: () => boolean | Promise<boolean>) =>
    expect.poll(condition, { interval: 10, timeout: 30_000 }).toBe(true);
  /** Lets the sender look at the chain so many times. */
  const looks = async (count: number) => {
    const enough = looked + count;
    await until(() => looked >= enough);
  };
  const notDone = async () => false;
  const nonce = () => node.client.getTransactionCount({ address: signer.address });
  const balance = () => node.client.getBalance({ address: signer.address });
  const attempts = () => store.transactions.pending().flatMap((entry) => entry.attempts);
  const isKnown = async (hash: Hex) =>
    (await node.client.request({ method: 'eth_getTransactionByHash', params: [hash] })) !== null;
  /** Waits until the latest of so many attempts is in the mempool. */
  const inMempool = (count = 1) =>
    until(async () => attempts().length === count && (await isKnown(attempts()[count - 1].hash)));
  const signed = (terms: { nonce?: number; gas?: bigint; fee?: bigint; tip?: bigint } = {}) =>
    signTransaction(
      signer,
      31337n,
      { to: taking, data: '0x' },
      {
        ...{ nonce: terms.nonce ?? 0, gas: terms.gas ?? 50_000n },
        maxFeePerGas: terms.fee ?? 10n * gwei,
        maxPriorityFeePerGas: terms.tip ?? gwei,
      },
    );

  describe('a broadcast', () => {
    const said = async (terms: Parameters<typeof signed>[0]) =>
      broadcast(node.client, (await signed(terms)).raw).then(
        () => undefined,
        ({ code }: ChainError) => code,
      );

    it('of what is known or mined already is fine', async () => {
      expect(await said({})).toBeUndefined();
      expect(await said({})).toBeUndefined();
      await block();
      expect(await said({})).toBeUndefined();
      expect(await said({ fee: 20n * gwei, tip: 2n * gwei })).toBeUndefined();
    });

    it.each([
      ['a replacement that pays as much', { gas: 60_000n }, ChainErrorCode.UNDERPRICED],
      [
        'too little gas to begin with',
        { nonce: 1, gas: 20_000n },
        ChainErrorCode.BROADCAST_REFUSED,
      ],
      ['more gas than a block has', { nonce: 1, gas: 2n ** 40n }, ChainErrorCode.BROADCAST_REFUSED],
      ['more than the account has', { fee: parseEther('1') }, ChainErrorCode.INSUFFICIENT_FUNDS],
    ])('says of %s what it is', async (_, terms, code) => {
      await said({});
      expect(await said(terms)).toBe(code);
    });
  });

  it.each(Object.entries(refusing))(
    'takes a call that ends in %s for what it is',
    async (_, [bytecode, code]) => {
      const to = `0x${'22'.repeat(20)}` as const;
      await node.control.setCode({ address: to, bytecode });
      await expect(
        simulate(node.client, signer.address, { to, data: '0x' }, defaultCaps),
      ).rejects.toMatchObject({ code });
    },
  );

  describe('a transaction', () => {
    it('is replaced at a higher fee once the base fee has risen above its own', async () => {
      const sender = senderWith({ bumpAfterMs: 0 });
      const outcome = sender.submit('a', call, notDone);
      await inMempool();
      await block(40n * gwei);
      await inMempool(2);
      const { hash } = attempts()[1];
      await block();
      expect(await outcome).toMatchObject({ transactionHash: hash, status: 'success' });
      expect(await nonce()).toBe(1);
      expect(sender.spending.counts).toMatchObject({ sent: 1, succeeded: 1 });
    });

    it('is not made dearer while there are no blocks', async () => {
      const outcome = senderWith({ bumpAfterMs: 0 }).submit('a', call, notDone);
      await inMempool();
      await looks(20);
      expect(attempts()).toHaveLength(1);
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
    });

    it('waits, unsigned, until the base fee is below the cap again', async () => {
      await block(40n * gwei);
      const outcome = senderWith({ caps }).submit('a', call, notDone);
      await looks(20);
      expect(attempts()).toEqual([]);
      expect(warnings).toEqual([ChainErrorCode.FEE_CAP_REACHED]);
      await block(gwei);
      await inMempool();
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
    });

    it('that is pending is left alone meanwhile', async () => {
      const sender = senderWith({ caps, bumpAfterMs: 0 });
      const outcome = sender.submit('a', call, notDone);
      await inMempool();
      await block(40n * gwei);
      await looks(20);
      expect(attempts()).toHaveLength(1);
      expect(warnings).toContain(ChainErrorCode.FEE_CAP_REACHED);
      await block(gwei);
      // It may have been mined just now; if the client has dropped it, it is broadcast again.
      while ((await nonce()) === 0) await block();
      expect(await outcome).toMatchObject({ status: 'success' });
    });

    it('is broadcast again when the mempool has dropped it', async () => {
      const sender = senderWith();
      const outcome = sender.submit('a', call, notDone);
      await inMempool();
      const [{ hash }] = attempts();
      await node.control.dropTransaction({ hash });
      await until(() => sender.spending.counts.resent > 0);
      await inMempool();
      await block();
      expect(await outcome).toMatchObject({ transactionHash: hash });
    });

    it('is broadcast until an endpoint does not forget it', async () => {
      let forgotten = 0;
      meddle = async ({ method, params }, forward) => {
        if (method !== 'eth_sendRawTransaction' || forgotten === 5) return forward();
        forgotten += 1;
        return keccak256((params as [Hex])[0]);
      };
      const sender = senderWith();
      const outcome = sender.submit('a', call, notDone);
      await inMempool();
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
      expect(sender.spending.counts).toMatchObject({ sent: 1, resent: 5, replaced: 0 });
      expect(warnings).toEqual([]);
    });

    it('outbids what the mempool still has of its nonce from an earlier life', async () => {
      await broadcast(node.client, (await signed({ fee: 9n * gwei, tip: 2n * gwei })).raw);
      const outcome = senderWith().submit('a', call, notDone);
      await until(async () => {
        const latest = attempts().at(-1);
        return latest !== undefined && isKnown(latest.hash);
      });
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
      expect(await nonce()).toBe(1);
      expect(warnings).toEqual([ChainErrorCode.UNDERPRICED]);
    });

    it('gets another nonce when a foreign one has replaced it', async () => {
      const outcome = senderWith().submit('a', call, notDone);
      await inMempool();
      const [{ hash }] = attempts();
      await broadcast(node.client, (await signed({ fee: 50n * gwei, tip: 9n * gwei })).raw);
      expect(await isKnown(hash)).toBe(false);
      await block();
      await until(async () => store.transactions.pending()[0]?.nonce === 1);
      await inMempool();
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
      expect(await nonce()).toBe(2);
    });

    it('is cancelled at once when another submitter wins, for what a transfer costs', async () => {
      let done = false;
      const sender = senderWith();
      const before = await balance();
      const outcome = sender.submit('a', call, async () => done);
      await inMempool();
      done = true;
      expect(await outcome).toBe('already-done');
      await inMempool(2);
      await block();
      await until(() => attempts().length === 0);
      const { counts, paidWei } = sender.spending;
      expect(counts).toMatchObject({ sent: 1, replaced: 1, cancelled: 1, reverted: 0 });
      expect(paidWei.cancelled).toBe(before - (await balance()));
    });

    it('is not signed while the account cannot pay for it', async () => {
      await node.control.setBalance({ address: signer.address, value: 1n });
      const outcome = senderWith().submit('a', call, notDone);
      await looks(20);
      expect(attempts()).toEqual([]);
      expect(warnings).toEqual([ChainErrorCode.INSUFFICIENT_FUNDS]);
      await node.control.setBalance({ address: signer.address, value: parseEther('1') });
      await inMempool();
      await block();
      expect(await outcome).toMatchObject({ status: 'success' });
    });

    it('is accounted for to the wei', async () => {
      const before = await balance();
      const sender = senderWith();
      const outcome = sender.submit('a', call, notDone);
      await inMempool();
      expect(sender.longestPendingMs).toBeGreaterThan(0);
      await block();
      await outcome;
      expect(sender.spending.paidWei.succeeded).toBe(before - (await balance()));
      expect(sender.longestPendingMs).toBe(0);
    });
  });
});
