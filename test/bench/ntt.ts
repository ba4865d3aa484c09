import { fieldOf } from '../../workers/kernels/field.ts';
import { defaultKernels } from '../../workers/kernels/loader.ts';
import { transformOf } from '../../workers/kernels/transform.ts';
import type { Transform } from '../../workers/kernels/transform.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { seededResidues } from '../workers/kernels/reference.ts';

/** One line of a benchmark report. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  /** Median of the production path. */
  readonly value: number;
  /** Median of the integer path in the same run. */
  readonly baseline: number;
  /** baseline / value */
  readonly ratio: number;
}

const rounds = 2_000;

/**
 * Transforms and pointwise products of one limb of bfv-8192-b20, production path against integer
 * path. Both work on values that are in kernel memory already and alternate within one process.
 */
export function benchNtt(): Measurement[] {
  const { degree, primes } = parameterSet('bfv-8192-b20');
  const kernels = defaultKernels();
  const fields = [fieldOf(primes[2]), fieldOf(primes[2], kernels, false)];
  const transforms = fields.map((field) => transformOf(field, degree));
  const input = BigUint64Array.from(seededResidues('bench', degree, primes[2]));
  const { arena } = kernels;
  const mark = arena.mark();
  try {
    const other = fields[0].copyIn(input, 0, degree);
    const values = fields.map((field) => field.copyInResident(input, 0, degree));
    const operations: Record<string, (transform: Transform, x: number) => void> = {
      'forward NTT': (transform, x) => transform.forward(x),
      'inverse NTT': (transform, x) => transform.inverse(x),
      'pointwise product': ({ field }, x) => field.path.multiply(x, other, degree, field.record),
    };
    return Object.entries(operations).map(([name, operation]) => {
      const times = transforms.map(() => new Array<number>(rounds));
      for (let round = 0; round < rounds; round++) {
        transforms.forEach((transform, path) => {
          const start = process.hrtime.bigint();
          operation(transform, values[path]);
          times[path][round] = Number(process.hrtime.bigint() - start) / 1e3;
        });
      }
      const [value, baseline] = times.map(median);
      return {
        name: `${name}, N = ${degree}, ${primes[2].toString(2).length}-bit prime`,
        unit: 'µs',
        value,
        baseline,
        ratio: baseline / value,
      };
    });
  } finally {
    arena.release(mark);
  }
}

function median(values: number[]): number {
  return values.sort((left, right) => left - right)[values.length >> 1];
}
