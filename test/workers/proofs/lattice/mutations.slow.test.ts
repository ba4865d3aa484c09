import { expect, it } from 'vitest';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import { prepare } from '../../../../workers/proofs/lattice/statement.ts';
import { checkProof } from '../../../../workers/proofs/lattice/verify.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { fixture, seededSource, tinySet } from '../support.ts';
import { responseMutations } from './mutations.ts';

it.each([
  { set: tinySet, every: 1 },
  { set: parameterSet('insecure-bfv-1024'), every: 3 },
])('no proof survives a change of a coefficient, $set.name', async ({ set, every }) => {
  const parameters = latticeParameters(set);
  const { statement, witness } = await fixture(set, 'mutations');
  const prepared = await prepare(statement);
  const proof = await prove(statement, witness, seededSource('mutations'));
  const codes = { inside: new Set<unknown>(), beyond: new Set<unknown>() };
  for (const { kind, bytes } of responseMutations(parameters, proof, every)) {
    const code = await checkProof(prepared, bytes).then(
      () => 'accepted',
      (error: { code: unknown }) => error.code,
    );
    codes[kind].add(code);
  }
  codes.inside.delete(ProofErrorCode.RESPONSE_TOO_LONG);
  expect(codes.inside).toEqual(new Set([ProofErrorCode.DIGEST_MISMATCH]));
  expect(codes.beyond).toEqual(new Set([ProofErrorCode.RESPONSE_OUT_OF_RANGE]));
});
