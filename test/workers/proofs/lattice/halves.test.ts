import { describe, expect, it } from 'vitest';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { prepare } from '../../../../workers/proofs/lattice/statement.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import { generateKey } from '../../protocols/simulation.ts';
import { ciphertextBytes, context, integersOf, seededSource } from '../support.ts';
import { dividedByDifference, forge } from './forging.ts';
import {
  coefficientsOf,
  decrypted,
  disguised,
  outcomes,
  q,
  refused,
  secret,
  set,
  simulation,
  zeros,
} from './victim.ts';

// Why 2c is registered and not the c that the equations are of.

describe('half of what was proved', () => {
  // (1 - X)·c short is enough to answer every challenge: all differences are multiples of 1 - X. So a
  // proof convinces of c with c1 = 1/(1 - X), which is half an odd polynomial, and 2c is well formed.
  const odd = dividedByDifference(zeros.with(0, 1n), q);

  it('gives a bit of the key, the proved double does not', async () => {
    const bits = new Set<bigint>();
    for (const label of ['key', 'second', 'third', 'fourth']) {
      const victim = generateKey(simulation, set, label);
      const to = await encryptionKey(set, victim.publicKey);
      const { bytes: half, witness } = disguised('half', odd, to);
      const { c0, c1 } = integersOf(set, half);
      const twice = (x: bigint): bigint => 2n * x;
      const registered = ciphertextBytes(set, c0.map(twice), c1.map(twice));
      const statement = { key: to, registered, context };
      const prepared = await prepare(statement);
      const guess = new Array<number>(prepared.parameters.repetitions).fill(0);
      let proof: Uint8Array;
      let accepted = false;
      // No more tries than an honest prover takes: there is nothing to be lucky about.
      for (let tries = 0; !accepted; tries++) {
        expect(tries).toBeLessThan(20);
        proof = await forge(prepared, witness.u, guess, seededSource(`half/${tries}`));
        accepted = await verify(statement, proof).then(
          () => true,
          () => false,
        );
      }
      // Decrypting c instead gives the parity of the sum of all coefficients of the key ...
      const parity = coefficientsOf(victim).reduce((sum, x) => sum + x, 0n) & 1n;
      const answer = decrypted(half, victim);
      expect(answer.every((m) => m === 0n)).toBe(parity === 0n);
      expect(answer.every((m) => m !== 0n)).toBe(parity === 1n);
      bits.add(parity);
      // ... and decrypting 2c nothing. The same proof says nothing about c.
      expect(decrypted(registered, victim).every((m) => m === 0n)).toBe(true);
      await expect(verify({ ...statement, registered: half }, proof!)).rejects.toThrow(
        expect.objectContaining({ code: ProofErrorCode.DIGEST_MISMATCH }),
      );
    }
    expect(bits.size).toBe(2);
    const { bytes: half, witness } = disguised('half', odd);
    expect(await outcomes(half, witness.u)).toEqual(refused);
  });

  it('and half an odd coefficient gives the parities of all, and has no proof', async () => {
    const { bytes, witness } = disguised('parities', zeros.with(0, (q + 1n) / 2n));
    const parities = decrypted(bytes).map((m) => (m === 0n ? 0n : 1n));
    expect(parities).toEqual(secret.map((s) => s & 1n));
    expect(await outcomes(bytes, witness.u)).toEqual(refused);
  });
});
