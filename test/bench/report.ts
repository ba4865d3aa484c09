import { table } from '../../tasks/output.ts';

/** One line of a benchmark report. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What it is compared with in the same run; absent where there is nothing to compare. */
  readonly baseline?: number;
  /** value / baseline. */
  readonly ratio?: number;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the given part of the values lies, by nearest rank. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))];
}

const digits = (value: number): string => value.toFixed(value < 10 ? 3 : 1);

/** The measurements as lines for people. */
export function report(measurements: readonly Measurement[]): string[] {
  const rows = measurements.map(({ name, unit, value, baseline, ratio }) => [
    name,
    unit,
    digits(value),
    baseline === undefined ? '' : digits(baseline),
    ratio === undefined ? '' : digits(ratio),
  ]);
  return table([['name', 'unit', 'value', 'baseline', 'ratio'], ...rows]);
}
