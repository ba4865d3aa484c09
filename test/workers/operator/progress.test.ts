import { describe, expect, it } from 'vitest';

import { ProgressBook } from '../../../workers/operator/progress.ts';
import { digestOf } from './fake-chain.ts';

const [first, second, third] = ['first', 'second', 'third'].map(digestOf);

describe('a progress book', () => {
  it('shows the steps of a request, for whom it waits and how long each step took', () => {
    const book = new ProgressBook(8);
    book.begin(first, 'decryption');
    expect(book.get(first)).toEqual({
      id: first,
      kind: 'decryption',
      state: 'agreeing',
      waitingFor: [],
      faulty: [],
      milliseconds: {},
    });
    book.waitFor(first, new Set([4, 2]));
    expect(book.get(first)?.waitingFor).toEqual([2, 4]);
    book.advance(first, 'opening');
    expect(book.get(first)).toMatchObject({
      state: 'opening',
      waitingFor: [],
      milliseconds: { agreeing: expect.any(Number) as number },
    });
    const { milliseconds } = book.get(first)!;
    book.advance(first, 'opening');
    book.begin(first, 'key');
    expect(book.get(first)).toMatchObject({ kind: 'decryption', state: 'opening', milliseconds });
  });

  it('counts what takes many openings', () => {
    const book = new ProgressBook(8);
    book.count(first, 1, 2);
    book.begin(first, 'evaluation-keys');
    book.count(first, 37, 100);
    expect(book.get(first)?.progress).toEqual({ done: 37, total: 100 });
  });

  it('says why a request cannot be served, until it goes on after all', () => {
    const book = new ProgressBook(8);
    book.begin(first, 'user-decryption');
    book.trouble(first, 'BLOB_UNAVAILABLE');
    expect(book.get(first)).not.toHaveProperty('reason');
    book.trouble(first, 'REQUEST_UNSERVABLE', 'the key is malformed');
    expect(book.get(first)).toMatchObject({ reason: 'the key is malformed' });
    book.advance(first, 'opening');
    expect(book.get(first)).not.toHaveProperty('reason');
    expect(book.get(first)).not.toHaveProperty('error');
  });

  it('lists what is not recorded', () => {
    const book = new ProgressBook(8);
    for (const id of [first, second, third]) book.begin(id, 'key');
    book.advance(second, 'recorded');
    book.advance(third, 'expired');
    expect(book.unsettled()).toEqual([first, third]);
  });

  it('names a fault once per operator and reason', () => {
    const book = new ProgressBook(8);
    book.begin(first, 'key');
    const fault = { index: 2, operator: '0x02', reason: 'WRONG_SHARE' };
    const another = { ...fault, reason: 'WRONG_SIGNATURE' };
    for (const named of [fault, fault, another, { ...fault, index: 3 }]) book.blame(first, named);
    expect(book.get(first)?.faulty).toEqual([fault, another, { ...fault, index: 3 }]);
  });

  it('says what keeps a request from going on, until it goes on', () => {
    const book = new ProgressBook(8);
    book.begin(first, 'key');
    book.advance(first, 'opening');
    book.trouble(first, 'BLOB_UNAVAILABLE');
    book.advance(first, 'opening');
    expect(book.get(first)?.error).toBe('BLOB_UNAVAILABLE');
    book.advance(first, 'certifying');
    expect(book.get(first)).not.toHaveProperty('error');
  });

  it('says why a request has expired', () => {
    const book = new ProgressBook(8);
    book.begin(first, 'key');
    book.trouble(first, 'TOO_FEW_AGREEING');
    book.advance(first, 'expired');
    expect(book.get(first)).toMatchObject({ state: 'expired', error: 'TOO_FEW_AGREEING' });
  });

  it('forgets the oldest that has ended and takes no notes on what it does not know', () => {
    const book = new ProgressBook(2);
    const known = () => [first, second, third].map((id) => book.get(id) !== undefined);
    for (const id of [first, second, third]) book.begin(id, 'key');
    // What goes on is not forgotten.
    expect(known()).toEqual([true, true, true]);
    book.advance(first, 'recorded');
    book.advance(second, 'expired');
    book.begin(`0x${'04'.repeat(32)}`, 'key');
    expect(known()).toEqual([false, false, true]);
    book.advance(first, 'opening');
    book.trouble(first, 'TROUBLE');
    book.waitFor(first, [1]);
    book.blame(first, { index: 1, operator: '', reason: '' });
    expect(book.get(first)).toBeUndefined();
  });
});
