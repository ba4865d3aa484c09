import { describe, expect, it } from 'vitest';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { withCode } from '../../kernels/support.ts';
import { context, doubledBytes, fixture, seededSource, tinySet } from '../support.ts';
import { expectAsComputed, proveMany } from './completeness.ts';

describe('an honest proof', () => {
  it.each([
    { set: tinySet, count: 800 },
    { set: parameterSet('insecure-bfv-1024'), count: 250 },
    { set: parameterSet('insecure-bfv-1024-b17'), count: 100 },
  ])(
    'is always accepted, and masks fail as often as computed, $set.name',
    async ({ set, count }) => {
      expectAsComputed(set, await proveMany(set, count));
    },
  );

  it.each(['bfv-8192-b20', 'bfv-16384-b20', 'insecure-bfv-1024-b17'])(
    'is accepted under %s',
    async (name) => {
      const { statement, witness } = await fixture(parameterSet(name));
      await verify(statement, await prove(statement, witness, seededSource('large')));
      await verify(statement, await prove(statement, witness));
    },
  );

  it('is accepted for the largest errors there are', async () => {
    const { statement, witness } = await extreme();
    await verify(statement, await prove(statement, witness, seededSource('extreme')));
  });

  it('is not searched for in a source that is none', async () => {
    const { statement, witness } = await fixture(parameterSet('insecure-bfv-1024'));
    const zeros = (length: number): Uint8Array => new Uint8Array(length);
    await expect(prove(statement, witness, zeros)).rejects.toThrow(
      withCode(ProofErrorCode.RANDOMNESS_INVALID),
    );
  });
});

/** An encryption of something whose witness has every coefficient at a bound. */
async function extreme() {
  const set = parameterSet('insecure-bfv-1024');
  const { key } = await fixture(set);
  const { narrow, wide } = latticeParameters(set);
  const signs = Int8Array.from({ length: set.degree }, (_, i) => (i % 3 === 0 ? -1 : 1));
  const witness = {
    u: signs,
    e1: signs.map((sign) => sign * narrow.errorBound),
    w: Float64Array.from(signs, (sign) => sign * wide.errorBound),
  };
  return { statement: { key, registered: doubledBytes(key, witness), context }, witness };
}
