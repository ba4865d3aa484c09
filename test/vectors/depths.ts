/** Writes test/vectors/depths.json, what test/workers/proofs/depths.ts measures: `node test/vectors/depths.ts`. */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { committeeSizes } from '../../workers/fhe/figures.ts';
import { parameterSets } from '../../workers/ring/parameters.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { allMeasured } from '../workers/proofs/depths.ts';

const measured: Record<string, Record<number, unknown>> = {};
for (const set of parameterSets) {
  measured[set.name] = {};
  for (const n of committeeSizes) measured[set.name][n] = await allMeasured(set, committeeOf(n));
}
const json = await format(JSON.stringify(measured), { parser: 'json', printWidth: 100 });
writeFileSync(new URL('depths.json', import.meta.url), json);
