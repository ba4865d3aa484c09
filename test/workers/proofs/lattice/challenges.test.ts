import { describe, expect, it } from 'vitest';
import { commitmentsOf } from '../../../../workers/proofs/lattice/commitments.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { firstLevel, prepare } from '../../../../workers/proofs/lattice/statement.ts';
import { ciphertextBytes, fixture, integersOf, seededSource, tinySet } from '../support.ts';
import { answered, dividedByDifference, masksOf } from './forging.ts';

// The heart of the soundness argument, counted: how many of the 2N challenges of one run a prover can
// answer after it has committed. All of them for what is well formed, one for anything else.

const { degree, plainModulus: t, primes } = tinySet;
const q = primes[0] * primes[1];
const all = Array.from({ length: 2 * degree }, (_, e) => e);
const zeros = new Array<bigint>(degree).fill(0n);

/** Which challenges are answered by who commits for one challenge and knows what is left of c1 without u. */
async function answerable(added: readonly bigint[], committed: number): Promise<number[]> {
  const { statement, witness } = await fixture(tinySet);
  const { c0, c1 } = integersOf(tinySet, statement.registered);
  const registered = ciphertextBytes(
    tinySet,
    c0,
    c1.map((x, i) => x + 2n * added[i]),
  );
  const parameters = { ...latticeParameters(tinySet), repetitions: all.length };
  const prepared = await prepare({ ...statement, registered }, parameters);
  const basis = firstLevel(parameters);
  // The same mask for every challenge, one after the other.
  const one = { ...prepared, parameters: { ...parameters, repetitions: 1 } };
  const mask = masksOf(one, seededSource('challenges'));
  const masks = new Int32Array(all.length * degree);
  for (const e of all) masks.set(mask, e * degree);
  const responses = answered(prepared, masks, witness.u, all);
  const commitments = commitmentsOf(basis, parameters, prepared.equations, responses, all);
  const digests = await Promise.all(commitments.map(({ digest }) => digest));
  return all.filter((e) => Buffer.compare(digests[e], digests[committed]) === 0);
}

const monomial = zeros.with(3, 1n);
const halved = (r: readonly bigint[]): bigint[] => dividedByDifference(r, q, degree);

describe('a prover answers', () => {
  it('all challenges for an encryption', async () => {
    expect(await answerable(zeros, 0)).toEqual(all);
  });

  it.each([
    ['a monomial that decrypts to the key', zeros.with(3, q / t)],
    ['noise up to half of q/t', zeros.with(3, q / (2n * t))],
    ['noise that flooding does not hide', zeros.with(3, q >> 30n)],
    ['noise of two interval lengths', zeros.with(3, 1n << 22n)],
    ['a multiple of the prime that intervals lie in', zeros.with(3, 5n * primes[0])],
    ['a quarter of an odd coefficient', halved(halved(monomial))],
    ['half of what has a proof for its double only', halved(dividedByDifference(monomial, q))],
  ])('one, whichever it commits to, for %s', async (_, added) => {
    for (const committed of [0, 1, degree, 2 * degree - 1]) {
      expect(await answerable(added, committed)).toEqual([committed]);
    }
  });

  // c is what the equations are of. Its double is well formed in all these cases, c in none.
  it.each([1, 2, 4, 32, degree])(
    'all at distances of a multiple of d from its own, for c = r/(1 - X^d) and d = %i',
    async (step) => {
      const expected = all.filter((e) => e % step === 0);
      expect(await answerable(dividedByDifference(monomial, q, step), 0)).toEqual(expected);
    },
  );
});
