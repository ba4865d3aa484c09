import { describe, expect, it } from 'vitest';
import type { JournaledBlock } from '../../../workers/store/blocks.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

const block = (height: number): JournaledBlock => ({
  height: BigInt(height),
  hash: word(height),
  logsDigest: word(height + 100),
  logs: [
    {
      address: '0x00000000000000000000000000000000000000aa',
      topics: [word(1)],
      data: '0x',
      logIndex: height,
    },
  ],
});
const scanned = (height: number) => ({ height: BigInt(height), hash: word(height) });

describe('blocks', () => {
  it('gives back what was appended, after a restart too', async () => {
    const path = directory();
    const store = await open(path);
    expect(store.blocks.head()).toBeUndefined();
    expect(store.blocks.scanned()).toBeUndefined();
    store.blocks.append([block(3), block(5)], scanned(8));
    store.blocks.append([block(9)], scanned(9));
    store.close();
    const { blocks } = await open(path);
    expect([...blocks.iterate()]).toEqual([block(3), block(5), block(9)]);
    expect(blocks.head()).toEqual(block(9));
    expect(blocks.below(9n)).toEqual(block(5));
    expect(blocks.below(3n)).toBeUndefined();
    expect(blocks.scanned()).toEqual(scanned(9));
  });

  it.each([
    ['a repeated height', [block(5)], 9],
    ['a descending batch', [block(7), block(6)], 9],
    ['a scanned mark below its blocks', [block(7)], 6],
    ['a scanned mark below the head', [], 4],
  ])('refuses %s and writes nothing', async (_, blocks, mark) => {
    const store = await open(directory());
    store.blocks.append([block(5)], scanned(5));
    expect(() => store.blocks.append(blocks, scanned(mark))).toThrow(
      expect.objectContaining({ code: StoreErrorCode.BLOCK_OUT_OF_ORDER }),
    );
    expect([...store.blocks.iterate()]).toEqual([block(5)]);
    expect(store.blocks.scanned()).toEqual(scanned(5));
  });

  it('forgets from a height on', async () => {
    const { blocks } = await open(directory());
    blocks.append([block(3), block(5), block(7)], scanned(9));
    blocks.truncateFrom(5n, scanned(3));
    expect([...blocks.iterate()]).toEqual([block(3)]);
    expect(blocks.scanned()).toEqual(scanned(3));
    blocks.truncateFrom(0n, undefined);
    expect(blocks.head()).toBeUndefined();
    expect(blocks.scanned()).toBeUndefined();
  });
});

describe('transactions', () => {
  it('gives back pending nonces with all attempts in order', async () => {
    const path = directory();
    const store = await open(path);
    const attempt = (byte: number) => ({ hash: word(byte), raw: word(byte + 1) });
    store.transactions.record(10, 'b', attempt(1));
    store.transactions.record(9, 'a', attempt(3));
    store.transactions.record(9, 'a', attempt(5));
    store.close();
    const { transactions } = await open(path);
    expect(transactions.pending()).toEqual([
      { nonce: 9, key: 'a', attempts: [attempt(3), attempt(5)] },
      { nonce: 10, key: 'b', attempts: [attempt(1)] },
    ]);
    expect(() => transactions.record(10, 'c', attempt(7))).toThrow(
      expect.objectContaining({ code: StoreErrorCode.NONCE_CONFLICT }),
    );
    transactions.settle(9);
    expect(transactions.pending().map(({ nonce }) => nonce)).toEqual([10]);
  });
});

describe('faults', () => {
  it('lists each fault once, newest first', async () => {
    const { faults } = await open(directory());
    const fault = (operator: number) => ({
      subject: word(1),
      openingId: word(2),
      operator,
      reason: 'SHARE_DISAGREES',
    });
    faults.record(fault(3), 1000);
    faults.record(fault(3), 5000);
    faults.record(fault(2), 2000);
    expect(faults.list()).toEqual([
      { ...fault(2), recordedAtMs: 2000 },
      { ...fault(3), recordedAtMs: 1000 },
    ]);
    expect(faults.list(1)).toHaveLength(1);
  });
});
