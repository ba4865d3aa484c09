import { expect, test } from 'vitest';

import {
  amountOf,
  hexOf,
  idOf,
  integerOf,
  listOf,
  setOf,
  timeoutOf,
} from '../../tasks/arguments.ts';
import { labelOf } from '../../tasks/support/keys.ts';

const ID = `0x${'aB'.repeat(32)}`;

test('well-formed arguments are read', () => {
  expect(idOf(ID, 'id')).toBe(ID.toLowerCase());
  expect(hexOf('00aF', 'hex')).toBe('0x00af');
  expect(listOf('1, 2,3', 'list')).toEqual(['1', '2', '3']);
  expect(integerOf('340282366920938463463374607431768211456', 'n')).toBe(1n << 128n);
  expect(timeoutOf(2)).toBe(2000);
  expect(amountOf('2', 'amount', 18)).toBe(2n * 10n ** 18n);
  expect(amountOf('0.000001', 'amount', 6)).toBe(1n);
  expect(setOf('bfv-8192-b20').degree).toBe(8192);
  expect(labelOf('first')).toBe(`0x6669727374${'00'.repeat(27)}`);
  expect(labelOf(ID)).toBe(ID);
});

test.each<[string, () => unknown]>([
  ['an id that is too short', () => idOf('0x12', 'id')],
  ['an id that is too long', () => idOf(`${ID}00`, 'id')],
  ['no id', () => idOf(undefined, 'id')],
  ['odd hex', () => hexOf('0x123', 'hex')],
  ['no hex', () => hexOf('0x', 'hex')],
  ['an empty list entry', () => listOf('1,,2', 'list')],
  ['a negative number', () => integerOf('-1', 'n')],
  ['a fraction', () => integerOf('1.5', 'n')],
  ['a number in hex', () => integerOf('0x10', 'n')],
  ['no time at all', () => timeoutOf(0)],
  ['an amount of nothing', () => amountOf('0.0', 'amount', 18)],
  ['an amount below the smallest unit', () => amountOf('0.0000001', 'amount', 6)],
  ['an amount in words', () => amountOf('1e3', 'amount', 18)],
  ['a negative amount', () => amountOf('-1', 'amount', 18)],
  ['an unknown parameter set', () => setOf('bfv-16384')],
  ['a label that is too long', () => labelOf('x'.repeat(33))],
])('%s is refused', (_, read) => {
  expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('parameter sets of other schemes are refused as such', () => {
  for (const name of ['bgv-8192-b20', 'ckks-16384'])
    expect(() => setOf(name)).toThrow(
      expect.objectContaining({
        code: 'RING_SCHEME_UNSUPPORTED',
        metadata: { name, scheme: name.split('-')[0] },
      }),
    );
});
