import { expect, it } from 'vitest';
import { committeeSizes } from '../../../workers/fhe/figures.ts';
import { parameterSets } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import measured from '../../vectors/depths.json' with { type: 'json' };
import { allMeasured } from './depths.ts';

it.each(parameterSets)('squares under $name have the measured budgets again', async (set) => {
  for (const n of committeeSizes) {
    const expected = (measured as Record<string, Record<number, unknown>>)[set.name][n];
    expect(await allMeasured(set, committeeOf(n))).toEqual(expected);
  }
});
