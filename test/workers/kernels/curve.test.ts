import { bn254 } from '@noble/curves/bn254.js';
import { describe, expect, it } from 'vitest';
import { CurveKernel } from '../../../workers/kernels/curve.ts';
import { readModule } from '../../../workers/kernels/loader.ts';
import { seeded } from '../curve/support.ts';

const { Fp } = bn254.fields;
const p = Fp.ORDER;
const ELEMENT = 80;

const valueOf = (digits: readonly number[]) =>
  digits.reduceRight((sum, digit) => (sum << 51n) + BigInt(digit), 0n);

/** a·b·2^-255 of both lanes, as digits. */
function multiply(kernel: CurveKernel, a: number[][], b: number[][]): number[][] {
  const memory = new Float64Array(20);
  [a, b].forEach((lanes, element) =>
    lanes.forEach((digits, lane) =>
      digits.forEach((digit, i) => (memory[10 * element + 2 * i + lane] = digit)),
    ),
  );
  return kernel.run((module) => {
    const address = kernel.copyIn(new Uint8Array(memory.buffer));
    module.multiplyElements(address, 1);
    const result = new Float64Array(kernel.copyOut(address, ELEMENT).buffer);
    return [0, 1].map((lane) => [0, 1, 2, 3, 4].map((i) => result[2 * i + lane]));
  });
}

describe.each(['curve', 'curve-fast'] as const)('products of the module %s', (name) => {
  const kernel = new CurveKernel(readModule(name));
  const unit = 2 ** 50;
  const extremes = [0, 1, -1, unit, -unit, unit - 1, 2 * unit, -2 * unit, 2 * unit - 1];
  /** Digits up to 2^51, the top one of a number within ±2.6p. */
  const extreme = (text: string) =>
    [0, 1, 2, 3, 4].map((i) => {
      const digit = extremes[Number(seeded(`${text} ${i}`) % BigInt(extremes.length))];
      return i < 4 ? digit : Math.trunc(digit / 2);
    });

  it('are right and as small as docs/curve.md has them at the extremes', () => {
    const inverse = Fp.inv(2n ** 255n % p);
    for (let k = 0; k < 500; k++) {
      const a = [extreme(`a ${k}`), extreme(`a2 ${k}`)];
      const b = [extreme(`b ${k}`), extreme(`b2 ${k}`)];
      const products = multiply(kernel, a, b);
      for (const lane of [0, 1]) {
        const product = valueOf(products[lane]);
        const [x, y] = [valueOf(a[lane]), valueOf(b[lane])];
        expect(Fp.create(product)).toBe(Fp.create(x * y * inverse));
        const bound = (x * y > 0n ? x * y : -x * y) / 2n ** 255n + (p * 54n) / 100n;
        expect(product <= bound && product >= -bound).toBe(true);
        for (const digit of products[lane]) expect(Math.abs(digit)).toBeLessThanOrEqual(unit);
      }
    }
  });
});
