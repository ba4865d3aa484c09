import { describe, expect, it } from 'vitest';
import type { Hex } from 'viem';
import { ComputationErrorCode as Code } from '../../../workers/computations/errors.ts';
import { compileExpression } from '../../../workers/computations/expression.ts';
import { keysNeeded } from '../../../workers/computations/keys.ts';
import { galoisElements } from '../../../workers/fhe/galois-elements.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { failing, handleOf } from './support.ts';

const set = parameterSet('insecure-bfv-1024-b17');
const [x, y, z] = [0xa1, 0xa2, 0xa3].map(handleOf);
const names = { a: handleOf(1), b: handleOf(2), c: handleOf(3) };
const needed = (text: string, inputs: readonly Hex[], result = x) => {
  const used = Object.fromEntries(Object.entries(names).slice(0, inputs.length));
  return keysNeeded(set, compileExpression(text, used), { inputs, result });
};
const element = (step: number): number => galoisElements(set.degree, [step])[0];
const relinearization = (keyId: Hex) => ({ kind: 'relinearization', keyId });
const galois = (keyId: Hex, step: number) => ({ kind: 'galois', keyId, element: element(step) });
const switching = (keyId: Hex) => ({ kind: 'switching', keyId, targetKeyId: x });

describe('the keys that a program needs', () => {
  it('are none for sums, constants and lower levels', () => {
    expect(needed('down(a) - b * 3 + 1 + -a', [x, x])).toEqual([]);
  });

  it('are each named once, in the order of the steps', () => {
    expect(needed('rotate(a*b, 1) + swap(a) + rotate(b, 1) * rotate(a, -2)', [x, x])).toEqual([
      relinearization(x),
      galois(x, 1),
      galois(x, 0),
      galois(x, -2),
    ]);
  });

  it('are one for each key that is switched, and those of the keys before that', () => {
    expect(needed('rekey(a*a) + rekey(rotate(b, 1)) * c + rekey(a)', [y, z, x])).toEqual([
      relinearization(y),
      switching(y),
      galois(z, 1),
      switching(z),
      relinearization(x),
    ]);
  });

  it('do not exist for steps over two keys, and for a result under another key', () => {
    const cases: [string, Hex[]][] = [
      ['a + b', [x, y]],
      ['a * b', [y, x]],
      ['rekey(a + b)', [y, z]],
      ['rekey(a)', [x]],
      ['rekey(rekey(a))', [y]],
      ['a + 1', [y]],
    ];
    for (const [text, inputs] of cases) {
      expect(() => needed(text, inputs), text).toThrow(failing(Code.KEYS_MISMATCH));
    }
    expect(() => needed('a + b', [x, x], y)).toThrow(failing(Code.KEYS_MISMATCH));
    const program = compileExpression('a + b', { a: names.a, b: names.b });
    expect(() => keysNeeded(set, program, { inputs: [x], result: x })).toThrow(
      failing(Code.INPUTS_MISMATCH),
    );
  });
});
