import { expect, it } from 'vitest';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import measured from '../../vectors/depths.json' with { type: 'json' };
import { allMeasured } from './depths.ts';

it.each(['insecure-bfv-1024-b17', 'bfv-8192-b20'] as const)(
  'squares of %s have the measured budgets again',
  async (name) => {
    // If this fails: node test/vectors/depths.ts, then node scripts/generate-tables.ts
    expect(await allMeasured(parameterSet(name), committeeOf(4))).toEqual(measured[name][4]);
  },
);
