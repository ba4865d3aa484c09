import { describe, expect, it } from 'vitest';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import { transformPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';

describe('parameter sets', () => {
  it.each(parameterSets)('$name has distinct primes with transforms', (set) => {
    expect(new Set([...set.primes, set.plainModulus]).size).toBe(set.primes.length + 1);
    for (const prime of set.primes) expect(transformPrime(prime, set.degree)).toBe(prime);
    expect(parameterSet(set.name)).toBe(set);
    expect(set.name.startsWith('insecure-')).toBe(!set.secure);
  });

  it.each(parameterSets)('$name batches modulo a prime or wraps around', (set) => {
    const t = set.plainModulus;
    if (set.batching) expect(transformPrime(t, set.degree)).toBe(t);
    else
      expect(set.name.endsWith(`-w${t.toString(2).length - 1}`) && (t & (t - 1n)) === 0n).toBe(
        true,
      );
  });

  it.each(parameterSets)('$name hides to 2^-64 at least', ({ lambda }) => {
    expect(lambda).toBeGreaterThanOrEqual(64);
  });

  it('refuses unknown names', () => {
    for (const name of ['', 'bfv-8192', '__proto__', 'bgvx', 'x-ckks']) {
      expect(() => parameterSet(name)).toThrow(withCode(RingErrorCode.PARAMETER_SET_UNKNOWN));
    }
  });

  it('refuses sets of BGV and CKKS as such', () => {
    for (const name of ['bgv-8192-b20', 'ckks-16384', 'insecure-ckks-1024', 'ckks']) {
      expect(() => parameterSet(name)).toThrow(withCode(RingErrorCode.SCHEME_UNSUPPORTED));
    }
  });
});
