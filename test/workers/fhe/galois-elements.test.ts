import { describe, expect, it } from 'vitest';
import { sealContext } from '../../../workers/fhe/context.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { galoisElements } from '../../../workers/fhe/galois-elements.ts';
import { seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';

const set = parameterSet('insecure-bfv-1024');
const { degree } = set;

/** The elements that SEAL's own Galois keys have. */
function sealElements(steps?: readonly number[]): number[] {
  return withSeal((own) => {
    const generator = own(new seal.KeyGenerator(sealContext(set).handle));
    const keys = own(
      steps === undefined
        ? generator.createGaloisKeys()
        : generator.createGaloisKeysWithSteps(Int32Array.from(steps)),
    );
    const places = Array.from({ length: degree }, (_, place) => 2 * place + 1);
    return places.filter((element) => keys.hasKey(element));
  });
}

describe('Galois elements', () => {
  it('are by default those of SEAL’s default keys', () => {
    expect(galoisElements(degree, 'default')).toEqual(sealElements());
  });

  it('are for steps those of SEAL’s keys for the same steps', () => {
    const last = degree / 2 - 1;
    for (const steps of [[0], [1], [-1], [last, -last], [3, 0, -7, 100, -512 + 1]]) {
      expect(galoisElements(degree, steps)).toEqual(sealElements(steps));
    }
  });

  it.each([1024, 8192, 16384, 32768])('are 2·log2(N) - 2 by default for N = %i', (size) => {
    const elements = galoisElements(size, 'default');
    expect(elements).toHaveLength(2 * Math.log2(size) - 2);
    expect(elements.at(-1)).toBe(2 * size - 1);
  });

  it('are ascending and without repeats, whatever the steps', () => {
    expect(galoisElements(degree, [2, 1, 2, 1])).toEqual([3, 9]);
    // A step to the right is one to the left by the rest of the row.
    expect(galoisElements(degree, [5, 5 - degree / 2])).toHaveLength(1);
  });

  it.each([
    [[]],
    [[512]],
    [[-512]],
    [[1, 1024]],
    [[0.5]],
    [[Number.NaN]],
    [[Number.POSITIVE_INFINITY]],
    [[2 ** 53]],
  ])('refuse the steps %j', (steps) => {
    expect(() => galoisElements(degree, steps)).toThrow(
      expect.objectContaining({ code: FheErrorCode.GALOIS_STEP_INVALID }),
    );
  });
});
