import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { withTables } from '../../../scripts/tables.ts';
import { encrypt } from '../../../workers/fhe/client.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import {
  committeeFigures,
  committeeSizes,
  modulusBits,
  mostModulusBits,
  objectSizes,
  securityLevel,
} from '../../../workers/fhe/figures.ts';
import { decryptionPlan, multiplicationsPossible } from '../../../workers/fhe/noise.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { sealKeys, sealSwitch } from './support.ts';

it.each(['noise', 'parameters', 'input-proofs'])(
  'docs/%s.md has the tables as they are computed',
  async (name) => {
    const path = new URL(`../../../docs/${name}.md`, import.meta.url);
    const page = readFileSync(path, 'utf8');
    expect(page).toContain('<!-- table: ');
    // If this fails: node scripts/generate-tables.ts
    const options = { ...(await resolveConfig(path)), parser: 'markdown' };
    expect(await format(withTables(page), options)).toBe(page);
  },
);

describe('security', () => {
  it('is judged by the same table as in SEAL', () => {
    const { tc128, tc192, tc256 } = seal.SecLevelType;
    for (const [degree, limits] of mostModulusBits) {
      const most = [tc256, tc192, tc128].map((level) =>
        seal.CoeffModulus.MaxBitCount(degree, level),
      );
      expect(most).toEqual(limits);
    }
  });

  it.each(parameterSets)('of $name is what the set says', (set) => {
    expect(securityLevel(set)).toBe(set.secure ? 128 : 0);
  });

  it('grows as the modulus shrinks, and is none where the table ends', () => {
    const set = parameterSet('bfv-16384-b20');
    const levels = set.primes.map((_, at) => {
      const shorter = { ...set, primes: set.primes.slice(0, at + 1) };
      return [modulusBits(shorter), securityLevel(shorter)];
    });
    const expected = [48, 96, 144, 193, 242, 291, 340, 389, 438];
    expect(levels.map(([bits]) => bits)).toEqual(expected);
    expect(levels.map(([, level]) => level)).toEqual([256, 256, 256, 256, 192, 192, 128, 128, 128]);
    expect(securityLevel({ ...set, degree: 512 })).toBe(0);
  });
});

describe('committeeFigures', () => {
  it.each(parameterSets)('are those of the plans of $name', (set) => {
    const figures = committeeFigures(set);
    expect(figures.map(({ n }) => n)).toEqual(committeeSizes);
    const fresh = encrypt(set, sealKeys(set).publicKey, { scalar: 1n });
    for (const { n, limbs, floodBits, maxNoiseBits, multiplications, answer } of figures) {
      const committee = committeeOf(n);
      const plan = decryptionPlan(set, committee);
      expect(plan).toMatchObject({ limbs, floodBits, maxNoiseBits });
      expect(multiplications).toBe(multiplicationsPossible(set, committee));
      expect(answer).toBe(sealSwitch(set, fresh, limbs).length);
    }
  });

  it('leave out committees that cannot decrypt', () => {
    const set = parameterSet('bfv-8192-w32');
    const { primes } = set;
    expect(committeeFigures({ ...set, primes: primes.slice(0, 3) })).toEqual([]);
    const narrow = { ...set, primes: [...primes.slice(0, 3), primes[4]] };
    expect(committeeFigures(narrow).map(({ n }) => n)).toEqual([4]);
  });
});

describe('objectSizes', () => {
  const insecure = parameterSets.filter((set) => !set.secure);
  it.each(insecure)('of $name are the lengths of what SEAL saves', (set) => {
    const context = sealContext(set).handle;
    const { publicKey } = sealKeys(set);
    const actual = withSeal((own) => {
      const generator = own(new seal.KeyGenerator(context));
      const lengthOf = (object: Parameters<typeof savedBytes>[0]): number =>
        savedBytes(object).length;
      const galois = (steps: readonly number[]): number =>
        lengthOf(own(generator.createGaloisKeysWithSteps(Int32Array.from(steps))));
      return {
        ciphertext: encrypt(set, publicKey, { scalar: 1n }).length,
        publicKey: publicKey.length,
        relinearizationKeys: lengthOf(own(generator.createRelinKeys())),
        // An empty place has its number of digits as well.
        galoisElement: galois([1, 2]) - galois([1]) + 8,
        defaultGaloisKeys: lengthOf(own(generator.createGaloisKeys())),
        switchingKey: galois([1]),
      };
    });
    expect(objectSizes(set)).toEqual(actual);
  });
});
