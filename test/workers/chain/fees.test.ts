import { describe, expect, it } from 'vitest';
import { ChainErrorCode } from '../../../workers/chain/errors.ts';
import { defaultCaps, replacementFees } from '../../../workers/chain/fees.ts';

const gwei = 10n ** 9n;
const fees = (max: bigint, tip: bigint) => ({ maxFeePerGas: max, maxPriorityFeePerGas: tip });

describe('replacementFees', () => {
  it.each([
    ['a quarter more', fees(10n * gwei, gwei), fees(1n, 1n), fees(12_500000001n, 1_250000001n)],
    ['the current fees if they are higher', fees(4n, 2n), fees(99n, 9n), fees(99n, 9n)],
    ['something even on top of nothing', fees(0n, 0n), fees(0n, 0n), fees(1n, 1n)],
    [
      'at most the cap',
      fees(90n * gwei, gwei),
      fees(1n, 1n),
      fees(defaultCaps.maxFeePerGas, 1_250000001n),
    ],
  ])('offers %s', (_, previous, current, expected) => {
    expect(replacementFees(previous, current, defaultCaps)).toEqual(expected);
  });

  it.each([
    ['fee', fees(95n * gwei, gwei)],
    ['tip', fees(50n * gwei, 5n * gwei)],
  ])('refuses a replacement whose %s no mempool would take', (_, previous) => {
    expect(() => replacementFees(previous, fees(1n, 1n), defaultCaps)).toThrow(
      expect.objectContaining({ code: ChainErrorCode.FEE_CAP_REACHED }),
    );
  });
});
