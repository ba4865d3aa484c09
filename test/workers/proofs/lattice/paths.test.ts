import { describe, expect, it } from 'vitest';
import { makeProof } from '../../../../workers/proofs/lattice/prove.ts';
import { prepare } from '../../../../workers/proofs/lattice/statement.ts';
import { checkProof } from '../../../../workers/proofs/lattice/verify.ts';
import { Basis } from '../../../../workers/ring/basis.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { paths } from '../../kernels/reference.ts';
import { fixture, seededSource, tinySet } from '../support.ts';

const sets = [tinySet, parameterSet('insecure-bfv-1024'), parameterSet('bfv-8192-b20')];

describe.each(sets)('fast and integer kernels, $name', (set) => {
  it('make the same proofs, and accept and refuse the same', async () => {
    const { statement, witness } = await fixture(set);
    const prepared = await prepare(statement);
    const { primes } = prepared.parameters;
    const [fast, integer] = [paths.default, paths.integer].map(
      (kernels) => new Basis(set.degree, primes, kernels),
    );
    const outcome = async (proof: Uint8Array, basis: Basis): Promise<unknown> =>
      checkProof(prepared, proof, basis).then(
        () => 'accepted',
        (error: { code: unknown }) => error.code,
      );
    for (let i = 0; i < 3; i++) {
      const proof = await makeProof(prepared, witness, seededSource(`paths/${i}`), fast);
      const same = await makeProof(prepared, witness, seededSource(`paths/${i}`), integer);
      expect(Buffer.from(proof).equals(same)).toBe(true);
      expect(await outcome(proof, fast)).toBe('accepted');
      expect(await outcome(proof, integer)).toBe('accepted');
      for (const at of [i, 40 + i, proof.length - 1 - i]) {
        const changed = proof.slice();
        changed[at] ^= 1;
        const code = await outcome(changed, fast);
        expect(code).not.toBe('accepted');
        expect(await outcome(changed, integer)).toBe(code);
      }
    }
  });
});
