import { expect, it } from 'vitest';
import { uniform } from '../../../../workers/proofs/sampling.ts';
import { commitmentsOf } from '../../../../workers/proofs/lattice/commitments.ts';
import { serializeProof } from '../../../../workers/proofs/lattice/format.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import {
  digestOf,
  exponentsOf,
  firstLevel,
  prepare,
} from '../../../../workers/proofs/lattice/statement.ts';
import { checkProof } from '../../../../workers/proofs/lattice/verify.ts';
import { seededResidues } from '../../kernels/reference.ts';
import { ciphertextBytes, fixture, seededSource, tinySet } from '../support.ts';

/**
 * Without a witness a prover can only guess challenges: it chooses responses and exponents first, and the
 * commitments that go with them. Counts how often that works.
 *
 * @param unknownBits of each exponent; it is told the others, which are 0
 */
async function guess(
  repetitions: number,
  tries: number,
  unknownBits = latticeParameters(tinySet).exponentBits,
): Promise<number> {
  const { key, statement } = await fixture(tinySet);
  const random = (name: string): bigint[] => seededResidues(name, tinySet.degree, 1n << 90n);
  const registered = ciphertextBytes(tinySet, random('soundness/c0'), random('soundness/c1'));
  const insecure = { ...latticeParameters(tinySet), repetitions, exponentBits: unknownBits };
  const prepared = await prepare({ ...statement, key, registered }, insecure);
  const basis = firstLevel(insecure);
  const half = 2 ** (unknownBits - 1);
  const guesses = uniform(tries * repetitions, unknownBits - 1, seededSource('guesses'));
  let successes = 0;
  for (let i = 0; i < tries; i++) {
    const guessed = Array.from(
      guesses.subarray(i * repetitions, (i + 1) * repetitions),
      (x) => x + half,
    );
    const responses = new Int32Array(repetitions * tinySet.degree).fill(i);
    const commitments = commitmentsOf(basis, insecure, prepared.equations, responses, guessed);
    const digest = await digestOf(prepared, commitments);
    const accepted = await checkProof(
      prepared,
      serializeProof(insecure, { digest, responses }),
    ).then(
      () => true,
      () => false,
    );
    const right = exponentsOf(insecure, digest).every((exponent, k) => exponent === guessed[k]);
    expect(accepted).toBe(right);
    successes += Number(accepted);
  }
  return successes;
}

it('cheating works as often as all challenges are guessed: once in 2N for a single run', async () => {
  // 4 expected; more than 15 in one of 50,000 cases.
  const successes = await guess(1, 4 * 2 * tinySet.degree);
  expect(successes).toBeGreaterThan(0);
  expect(successes).toBeLessThan(16);
});

it('and for two runs hardly ever', async () => {
  expect(await guess(2, 2 * tinySet.degree)).toBe(0);
});

it.each([
  [1, 1],
  [1, 3],
  [1, 6],
  [2, 2],
  [3, 1],
])('in %i runs with all but %i bits of each challenge known, once in 2^k', async (runs, bits) => {
  const tries = 800;
  const rate = 2 ** -(runs * bits);
  // More than four standard deviations off in one of 15,000 cases.
  const deviation = Math.sqrt(tries * rate * (1 - rate));
  const successes = await guess(runs, tries, bits);
  expect(Math.abs(successes - tries * rate)).toBeLessThan(4 * deviation);
  expect(successes).toBeGreaterThan(0);
});
