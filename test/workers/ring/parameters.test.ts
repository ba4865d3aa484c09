import { describe, expect, it } from 'vitest';
import { RingErrorCode } from '../../../workers/ring/errors.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import { transformPrime } from '../kernels/reference.ts';
import { withCode } from '../kernels/support.ts';

describe('parameter sets', () => {
  it.each(parameterSets)('$name has distinct primes with transforms', (set) => {
    expect(new Set([...set.primes, set.plainModulus]).size).toBe(set.primes.length + 1);
    for (const prime of [...set.primes, set.plainModulus]) {
      expect(transformPrime(prime, set.degree)).toBe(prime);
    }
    expect(parameterSet(set.name)).toBe(set);
    expect(set.name.startsWith('insecure-')).toBe(!set.secure);
  });

  it('refuses unknown names', () => {
    for (const name of ['', 'bfv-8192', '__proto__']) {
      expect(() => parameterSet(name)).toThrow(withCode(RingErrorCode.PARAMETER_SET_UNKNOWN));
    }
  });
});
