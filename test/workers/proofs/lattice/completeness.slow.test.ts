import { it } from 'vitest';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { tinySet } from '../support.ts';
import { expectAsComputed, proveMany } from './completeness.ts';

it.each([
  { set: tinySet, count: 10_000 },
  { set: parameterSet('insecure-bfv-1024'), count: 3000 },
  { set: parameterSet('insecure-bfv-1024-b17'), count: 1000 },
  { set: parameterSet('bfv-8192-b20'), count: 100 },
])('$count honest proofs are accepted, $set.name', async ({ set, count }) => {
  expectAsComputed(set, await proveMany(set, count));
});
