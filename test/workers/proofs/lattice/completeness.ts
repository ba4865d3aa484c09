import { expect } from 'vitest';
import { encryptForProof } from '../../../../workers/proofs/encryption.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import type { ParameterSet } from '../../../../workers/ring/parameters.ts';
import { context, fixture, plaintextOf, seededSource } from '../support.ts';

/** What many honest proofs took. */
export interface Taken {
  readonly proofs: number;
  readonly tries: number;
  /** Of one proof, at most. */
  readonly most: number;
}

/** Encrypts, proves and verifies many times over; throws if a proof is refused. */
export async function proveMany(set: ParameterSet, proofs: number): Promise<Taken> {
  const { key } = await fixture(set);
  let [tries, most] = [0, 0];
  for (let i = 0; i < proofs; i++) {
    const plaintext = plaintextOf(set, `completeness/${i}`);
    const encryption = encryptForProof(key, plaintext, seededSource(`encryption/${i}`));
    const statement = { key, registered: encryption.registered, context };
    const masks = seededSource(`masks/${i}`);
    await verify(statement, await prove(statement, encryption.witness, masks));
    tries += masks.draws;
    most = Math.max(most, masks.draws);
  }
  return { proofs, tries, most };
}

/**
 * Tries per proof are geometric with the computed mean. A mean of many proofs is off by more than four
 * standard deviations in one of 15,000 cases, and the proof that takes longest takes longer than this in one
 * of a million.
 */
export function expectAsComputed(set: ParameterSet, { proofs, tries, most }: Taken): void {
  const { expectedTries, repetitions } = latticeParameters(set);
  const mean = expectedTries / (1 - tooLong(set.degree)) ** repetitions;
  const deviation = Math.sqrt((mean * (mean - 1)) / proofs);
  expect(Math.abs(tries / proofs - mean)).toBeLessThan(4 * deviation);
  expect(most).toBeLessThan(Math.log(1e-6 / proofs) / Math.log(1 - 1 / mean));
}

/**
 * How often a response is longer than the bound of 1.1·N·M²/3, which `expectedTries` leaves out: next to never
 * from N = 1024 on, but often in smaller rings. Squares of uniform coefficients have variance 4/45·M⁴ and
 * skewness 0.639; normal, with the first term of Edgeworth's expansion.
 */
function tooLong(degree: number): number {
  const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const z = (0.1 * degree) / 3 / Math.sqrt((degree * 4) / 45);
  const step = 0.001;
  let tail = 0;
  for (let x = z + step / 2; x < z + 8; x += step) tail += step * density(x);
  return tail + (0.639 / Math.sqrt(degree) / 6) * (z * z - 1) * density(z);
}
