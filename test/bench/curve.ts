import { bn254 } from '@noble/curves/bn254.js';
import { concatBytes } from 'viem';
import { perform } from '../../workers/curve/engine.ts';
import { g1Generator, g2Generator, type Group } from '../../workers/curve/points.ts';
import { defaultCurveKernel } from '../../workers/kernels/curve.ts';
import {
  base,
  bytesOf,
  little,
  p,
  pointOf,
  r,
  seeded,
  seededPoints,
} from '../workers/curve/support.ts';
import { median, type Measurement } from './report.ts';

const POINTS = { g1: 2_048, g2: 1_024 } as const;
/** noble takes about a millisecond per point. */
const BASELINE_POINTS = 16;
const RUNS = 5;
const PAIRS = 512;
const PRODUCTS = 100;

/** BN254 on one thread, against noble: processor time per point, or per product in Fp. */
export function benchCurve(): Measurement[] {
  return [productInFp(), ...(['g1', 'g2'] as const).flatMap(ofGroup)];
}

function productInFp(): Measurement {
  const kernel = defaultCurveKernel();
  const value = kernel.run((module) => {
    const address = module.allocate((PAIRS + 1) * 80);
    return microseconds(() => {
      for (let i = 0; i < PRODUCTS; i++) module.multiplyElements(address, PAIRS);
    });
  });
  const { Fp } = bn254.fields;
  const factor = seeded('factor') % p;
  const baseline = microseconds(() => {
    let product = factor;
    for (let i = 0; i < 10_000; i++) product = Fp.mul(product, factor);
  });
  return compared('product in Fp', 'ns', (value * 1e3) / (2 * PAIRS * PRODUCTS), baseline / 10);
}

function ofGroup(group: Group): Measurement[] {
  const count = POINTS[group];
  const generator = group === 'g1' ? g1Generator : g2Generator;
  const generators = concatBytes(new Array<Uint8Array>(count).fill(generator));
  const scalars = concatBytes([little(seeded('first') % r), little(seeded('ratio') % r)]);
  const scale = () =>
    perform({ kind: 'scale', group, points: Uint8Array.from(generators), scalars, skip: 0 });
  const points = scale() as Uint8Array<ArrayBuffer>;
  const coefficients = concatBytes(coefficientsFor(count));
  const sum = () =>
    perform({ kind: 'sum', group, points, coefficients: Uint8Array.from(coefficients) });
  const validate = () => perform({ kind: 'validate', group, points });

  const some = seededPoints(group, 'bench', BASELINE_POINTS);
  const scalar = seeded('scalar') % r;
  const coefficient = scalar >> 126n;
  const nobleScale = () => some.forEach((point) => point.multiplyUnsafe(scalar));
  const nobleSum = () =>
    some
      .map((point) => point.multiplyUnsafe(coefficient))
      .reduce((left, right) => left.add(right as never), base(group));
  // Fresh points: noble remembers which it found valid.
  const nobleValidate = () =>
    some.forEach((point) => pointOf(group, bytesOf(point)).assertValidity());
  const perPoint = (name: string, ours: () => unknown, noble: () => unknown) =>
    compared(
      `${group}: ${name}, ${count} points`,
      'µs per point',
      microseconds(ours) / count,
      microseconds(noble) / BASELINE_POINTS,
    );
  return [
    perPoint('times own scalar', scale, nobleScale),
    perPoint('sum with 128-bit coefficients', sum, nobleSum),
    perPoint('validity', validate, nobleValidate),
  ];
}

function coefficientsFor(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => little(seeded(`coefficient ${i}`)).slice(16));
}

/** Median processor time of a few runs, after one that is not counted. */
function microseconds(work: () => unknown): number {
  work();
  return median(
    Array.from({ length: RUNS }, () => {
      const start = process.cpuUsage();
      work();
      return process.cpuUsage(start).user;
    }),
  );
}

function compared(name: string, unit: string, value: number, baseline: number): Measurement {
  return { name: `curve, ${name}`, unit, value, baseline, ratio: baseline / value };
}
