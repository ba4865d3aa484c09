import { describe, expect, it, vi } from 'vitest';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../../../workers/ring/parameters.ts';
import { paths } from '../../kernels/reference.ts';
import { context, fixture, seededKeys, seededSource, tinySet } from '../support.ts';
import { responseMutations } from './mutations.ts';

type Path = keyof typeof paths;

/** Prover and verifier from modules of their own, all of whose arithmetic takes one path. */
async function loaded(path: Path) {
  vi.resetModules();
  const { provideKernels } = await import('../../../../workers/kernels/loader.ts');
  provideKernels(paths[path]);
  const { encryptionKey } = await import('../../../../workers/proofs/key.ts');
  const { prove } = await import('../../../../workers/proofs/lattice/prove.ts');
  const { prepare } = await import('../../../../workers/proofs/lattice/statement.ts');
  const { checkProof } = await import('../../../../workers/proofs/lattice/verify.ts');
  const { fieldOf } = await import('../../../../workers/kernels/field.ts');
  return { encryptionKey, prove, prepare, checkProof, fieldOf };
}

const [fast, integer] = [await loaded('default'), await loaded('integer')];

describe('fast and integer kernels', () => {
  it('are what the two sides of this file compute with', () => {
    const [prime] = tinySet.primes;
    expect(fast.fieldOf(prime).fast).toBe(true);
    expect(integer.fieldOf(prime).fast).toBe(false);
  });

  it.each([
    { set: tinySet, proofs: 6, every: 61 },
    { set: parameterSet('insecure-bfv-1024'), proofs: 2, every: 211 },
    { set: parameterSet('bfv-8192-b20'), proofs: 1, every: 8191 },
  ])('make, accept and refuse the same proofs, $set.name', async ({ set, proofs, every }) => {
    for (let i = 0; i < proofs; i++) {
      const name = `paths/${i}`;
      const [first, second] = await Promise.all([fast, integer].map((side) => of(side, set, name)));
      expect(Buffer.from(first.proof).equals(second.proof)).toBe(true);
      const inputs = [first.proof, ...changed(set, first.proof, every)];
      for (const [at, bytes] of inputs.entries()) {
        const codes = [await first.outcome(bytes), await second.outcome(bytes)];
        expect(codes[0]).toBe(codes[1]);
        expect(codes[0] === 'accepted').toBe(at === 0);
      }
    }
  });
});

/** A proof that one side makes, and what this side says to any bytes. */
async function of(side: typeof fast, set: ParameterSet, name: string) {
  const { registered, witness } = await fixture(set, name);
  const key = await side.encryptionKey(set, seededKeys(set, `${name}/key`).publicKey);
  const statement = { key, registered, context };
  const prepared = await side.prepare(statement);
  return {
    proof: await side.prove(statement, witness, seededSource(name)),
    outcome: async (proof: Uint8Array): Promise<unknown> =>
      side.checkProof(prepared, proof).then(
        () => 'accepted',
        // Each side has error classes of its own.
        (error: { code: unknown }) => error.code,
      ),
  };
}

/** Bits all over a proof, and coefficients. */
function* changed(set: ParameterSet, proof: Uint8Array, every: number): Generator<Uint8Array> {
  for (let at = 0; at < proof.length; at += 8 * every + 1) {
    const bytes = proof.slice();
    bytes[at] ^= 1 << (at % 8);
    yield bytes;
  }
  for (const { bytes } of responseMutations(latticeParameters(set), proof, every)) yield bytes;
}
