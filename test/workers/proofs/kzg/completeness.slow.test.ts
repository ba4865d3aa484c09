import { expect, it } from 'vitest';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import { verifyKzg } from '../../../../workers/proofs/kzg/verify.ts';
import { parameterSets } from '../../../../workers/ring/parameters.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { withCode } from '../../kernels/support.ts';
import { context } from '../support.ts';
import { extremeWitness, curve, insecureCrs, kzgFixture, statementOf } from './support.ts';

it.each(parameterSets)('an honest proof is accepted under $name', async (set) => {
  const crs = await insecureCrs(set);
  const { key, statement, witness } = await kzgFixture(set);
  const proof = await proveKzg(statement, witness, crs, { curve });
  await verifyKzg(statement, crs.key, proof);
  const other = { ...context, user: context.contract };
  await expect(verifyKzg({ ...statement, context: other }, crs.key, proof)).rejects.toThrow(
    withCode(ProofErrorCode.OPENING_MISMATCH),
  );
  const extreme = extremeWitness(set);
  const largest = statementOf(key, extreme);
  await verifyKzg(largest, crs.key, await proveKzg(largest, extreme, crs, { curve }));
});
