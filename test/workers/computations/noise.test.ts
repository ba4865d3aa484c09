import { describe, expect, it } from 'vitest';
import { ComputationErrorCode as Code } from '../../../workers/computations/errors.ts';
import { compileExpression } from '../../../workers/computations/expression.ts';
import { noiseOfProgram } from '../../../workers/computations/noise.ts';
import type { NoiseAtLevel } from '../../../workers/computations/noise.ts';
import { firstLimbs } from '../../../workers/fhe/ciphertext.ts';
import {
  freshNoiseBound,
  keySwitchingNoise,
  noiseAfterSwitching,
  noiseOfProduct,
} from '../../../workers/fhe/noise-growth.ts';
import { decryptionPlan, noiseOfRelinearizedSquare } from '../../../workers/fhe/noise.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { errorOf, failing, handleOf, programOf } from './support.ts';

const set = parameterSet('insecure-bfv-1024-b17');
const committee = committeeOf(4);
const names = { a: handleOf(1), b: handleOf(2) };
const at = (limbs: number, noise: bigint): NoiseAtLevel => ({ limbs, noise });
const noiseOf = (text: string, ...inputs: NoiseAtLevel[]): NoiseAtLevel => {
  const used = inputs.length === 2 ? names : { a: names.a };
  return noiseOfProgram(set, committee, compileExpression(text, used), inputs);
};
const switching = (limbs: number, kind: 'relinearization' | 'galois' | 'switching'): bigint =>
  keySwitchingNoise(set, committee, limbs, kind);
const t = set.plainModulus;

describe('the noise of a program', () => {
  const down = (noise: bigint, from: number, to: number): bigint =>
    noiseAfterSwitching(set, committee, noise, from, to);

  it('is that of its steps', () => {
    const [v, w] = [1n << 60n, 1n << 50n];
    const cases: [string, NoiseAtLevel][] = [
      ['a + b', at(4, v + w)],
      ['a - b', at(4, v + w)],
      ['a + b + 5', at(4, v + w + 1n)],
      ['a * 7 + b * -3', at(4, 7n * v + 3n * w)],
      [`a * ${t - 2n} + b`, at(4, 2n * v + w)],
      ['-a + b', at(4, v + w)],
      ['rotate(a, 1) + b', at(4, v + switching(4, 'galois') + w)],
      ['swap(a) + b', at(4, v + switching(4, 'galois') + w)],
      ['rekey(a) + b', at(4, v + switching(4, 'switching') + w)],
      ['down(a) + down(b)', at(3, down(v, 4, 3) + down(w, 4, 3))],
      [
        'down(rekey(a)) + rotate(down(b), 1)',
        at(3, down(v + switching(4, 'switching'), 4, 3) + down(w, 4, 3) + switching(3, 'galois')),
      ],
      ['a * b', at(4, noiseOfProduct(set, committee, 4, v, w) + switching(4, 'relinearization'))],
    ];
    for (const [text, expected] of cases) {
      expect(noiseOf(text, at(4, v), at(4, w)), text).toEqual(expected);
    }
  });

  it('counts what brings two operands to one level', () => {
    const [v, w] = [1n << 60n, 1n << 20n];
    expect(noiseOf('a + b', at(4, v), at(3, w))).toEqual(at(3, down(v, 4, 3) + w));
    expect(noiseOf('down(a) * b', at(4, v), at(2, w))).toEqual(
      at(
        2,
        noiseOfProduct(set, committee, 2, down(down(v, 4, 3), 3, 2), w) +
          switching(2, 'relinearization'),
      ),
    );
  });

  it('of a square at the first level is what the number of multiplications counts with', () => {
    for (const one of parameterSets) {
      const fresh = freshNoiseBound(one, committee);
      const square = programOf(1, { operation: 'multiply', left: 0, right: 0 });
      const inputs = [at(firstLimbs(one), fresh)];
      const { noise } = noiseOfProgram(one, committee, square, inputs);
      expect(noise).toBe(noiseOfRelinearizedSquare(one, committee, fresh));
      const { maxNoiseBits } = decryptionPlan(one, committee);
      expect(noise < 1n << BigInt(maxNoiseBits)).toBe(
        ['bfv-8192-b20', 'bfv-8192-w16', 'bfv-16384-b20', 'bfv-16384-w32', set.name].includes(
          one.name,
        ),
      );
    }
  });
});

describe('a program is refused', () => {
  it('with the numbers, where noise leaves nothing to decrypt', () => {
    const room = set.primes.slice(0, 4).reduce((product, prime) => product * prime, 1n) / (2n * t);
    expect(noiseOf('-a', at(4, room - 1n)).noise).toBe(room - 1n);
    const error = errorOf(() => noiseOf('-a', at(4, room)));
    const mostBits = room.toString(2).length - 1;
    expect(error).toMatchObject({
      code: Code.NOISE_NEVER_FITS,
      metadata: { step: 0, limbs: 4, noiseBits: mostBits + 1, mostBits },
    });
    const deep = errorOf(() => noiseOf('x = a*a; y = x*x; z = y*y; z*z', at(4, 1n << 12n)));
    expect(deep).toMatchObject({ code: Code.NOISE_NEVER_FITS, metadata: { step: 3 } });
    const low = errorOf(() => noiseOf('a*a', at(1, 1n << 10n)));
    expect(low).toMatchObject({ code: Code.NOISE_NEVER_FITS, metadata: { step: 0, limbs: 1 } });
  });

  it('below the last level', () => {
    expect(() => noiseOf('down(a)', at(1, 1n))).toThrow(failing(Code.LEVEL_EXHAUSTED));
    expect(() => noiseOf('down(a) + b', at(3, 1n), at(1, 1n))).not.toThrow();
  });

  it('without a bound for each input', () => {
    const program = compileExpression('a + b', names);
    for (const inputs of [[], [at(4, 1n)], [at(4, 1n), at(4, 1n), at(4, 1n)]]) {
      expect(() => noiseOfProgram(set, committee, program, inputs)).toThrow(
        failing(Code.INPUTS_MISMATCH),
      );
    }
  });

  it('where the parameter set has no such step', () => {
    const inSet = (name: string, text: string) => () =>
      noiseOfProgram(parameterSet(name), committee, compileExpression(text, { a: names.a }), [
        at(3, 1n),
      ]);
    for (const text of ['swap(a)', 'rotate(a, 1)']) {
      expect(inSet('bfv-8192-w16', text)).toThrow(failing(Code.SLOTS_UNSUPPORTED));
      expect(inSet(set.name, text)).not.toThrow();
    }
    for (const steps of [512, -512, 2 ** 31 - 1]) {
      expect(inSet(set.name, `rotate(a, ${steps})`)).toThrow(failing(Code.ROTATION_INVALID));
    }
    expect(inSet(set.name, 'rotate(a, 511) + rotate(a, -511)')).not.toThrow();
    for (const text of [`a + ${t}`, `a * ${-t}`]) {
      expect(inSet(set.name, text)).toThrow(failing(Code.SCALAR_INVALID));
    }
    expect(inSet(set.name, `a + ${t - 1n} + ${1n - t} * a`)).not.toThrow();
  });
});
