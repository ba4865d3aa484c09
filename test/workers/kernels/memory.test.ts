import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import { fieldOf } from '../../../workers/kernels/field.ts';
import { Arena } from '../../../workers/kernels/memory.ts';
import { seededPrime } from './reference.ts';
import { withCode } from './support.ts';

describe('arena', () => {
  it('gives scratch back and grows on demand', () => {
    const arena = new Arena();
    const mark = arena.mark();
    const first = arena.scratch(100);
    const large = arena.scratch(5_000_000);
    expect(first % 16).toBe(0);
    expect(large).toBeGreaterThanOrEqual(first + 100);
    arena.u64(large, 600_000)[599_999] = 7n;
    arena.release(mark);
    const again = arena.mark();
    expect(arena.scratch(8)).toBe(first);
    arena.release(again);
  });

  it('reuses long-lived blocks, zeroed, and refuses them while scratch is live', () => {
    const arena = new Arena();
    const block = arena.allocate(64);
    arena.u64(block, 8).fill(5n);
    arena.free(block, 64);
    expect(arena.allocate(64)).toBe(block);
    expect([...arena.u64(block, 8)]).toEqual(Array(8).fill(0n));
    expect(arena.allocate(64)).not.toBe(block);
    const mark = arena.mark();
    expect(() => arena.allocate(64)).toThrow(withCode(KernelErrorCode.SCRATCH_LIVE));
    arena.release(mark);
  });

  it('reports exhausted memory by code', () => {
    const arena = new Arena();
    const mark = arena.mark();
    expect(() => arena.scratch(2 ** 33)).toThrow(withCode(KernelErrorCode.OUT_OF_MEMORY));
    arena.release(mark);
  });
});

describe('copyIn', () => {
  it('refuses residues from the prime on, whatever their size', () => {
    const prime = seededPrime('copy', 44, 16);
    const field = fieldOf(prime);
    const { arena } = field.kernels;
    const attempts = [prime, prime + 1n, 2n ** 52n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
    for (const value of [...attempts, 2n ** 63n + prime - 1n, 2n ** 63n + prime]) {
      for (let position = 0; position < 5; position++) {
        const vector = new BigUint64Array(5).fill(prime - 1n);
        const mark = arena.mark();
        expect(field.copyIn(vector, 0, 5)).toBeGreaterThan(0);
        vector[position] = value;
        expect(() => field.copyIn(vector, 0, 5)).toThrow(
          withCode(KernelErrorCode.RESIDUE_OUT_OF_RANGE),
        );
        arena.release(mark);
      }
    }
  });
});
