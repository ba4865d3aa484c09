import { describe, expect, it } from 'vitest';

import { runPart, type Open } from '../../../../workers/operator/openings/run-part.ts';
import type { Part, Step } from '../../../../workers/protocols/opening.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { preimageOf } from '../../store/crash-round.ts';
import { digestOf } from '../fake-chain.ts';
import { stopped, testSignal } from '../harness.ts';

const step = (name: string): Step => ({
  opening: {
    id: digestOf(name),
    preimage: preimageOf(digestOf(name)),
    shape: { primes: [2053n], width: 1, polynomials: 1 },
    committee: committeeOf(4),
  },
  share: () => new BigUint64Array(1),
});

const [a, b, c] = ['a', 'b', 'c'].map(step);

/** Two rounds: a and b together, then c. */
function* twoRounds(): Part<bigint[]> {
  const first = yield [a, b];
  const second = yield [c];
  return [...first, ...second].map((value) => value[0]);
}

describe('a part', () => {
  it('is told the values of each round in the order of its steps', async () => {
    const begun: string[] = [];
    const held = Promise.withResolvers<void>();
    const open: Open = async ({ opening }) => {
      begun.push(opening.id);
      // The first of a round comes last.
      if (opening.id === a.opening.id) await held.promise;
      if (opening.id === b.opening.id) held.resolve();
      return BigUint64Array.of(BigInt(begun.indexOf(opening.id)));
    };
    expect(await runPart(twoRounds(), open, testSignal())).toEqual([0n, 1n, 2n]);
    expect(begun).toEqual([a, b, c].map(({ opening }) => opening.id));
  });

  it('fails with its first failing opening, and the others of the round are told to stop', async () => {
    let told = false;
    const open: Open = ({ opening }, signal) => {
      if (opening.id === b.opening.id) return Promise.reject(stopped());
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          told = true;
          reject(stopped());
        });
      });
    };
    await expect(runPart(twoRounds(), open, testSignal())).rejects.toMatchObject(stopped());
    expect(told).toBe(true);
  });
});
