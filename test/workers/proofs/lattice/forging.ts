import type { Witness } from '../../../../workers/proofs/encryption.ts';
import { commitmentsOf } from '../../../../workers/proofs/lattice/commitments.ts';
import { serializeProof } from '../../../../workers/proofs/lattice/format.ts';
import {
  digestOf,
  exponentsOf,
  firstLevel,
  type PreparedStatement,
} from '../../../../workers/proofs/lattice/statement.ts';
import { uniform } from '../../../../workers/proofs/sampling.ts';
import type { RandomBytes } from '../../../../workers/proofs/randomness.ts';

// Provers that follow the algebra and check nothing, for ciphertexts that have no proof.

/** X^e_k·u added to the k-th of several polynomials; coefficients stay in the range of responses. */
export function answered(
  { parameters: { set, maskBits } }: PreparedStatement,
  masks: Int32Array,
  u: Witness['u'],
  exponents: readonly number[],
): Int32Array {
  const { degree } = set;
  const most = 2 ** maskBits - 2;
  const responses = masks.slice();
  exponents.forEach((exponent, k) => {
    u.forEach((x, i) => {
      const target = (i + exponent) % (2 * degree);
      responses[k * degree + (target % degree)] += target < degree ? x : -x;
    });
  });
  return responses.map((z) => Math.max(-most, Math.min(most, z)));
}

/** Masks that leave room for a ternary u on both sides. */
export function masksOf({ parameters }: PreparedStatement, randomBytes: RandomBytes): Int32Array {
  const { repetitions, set, maskBits } = parameters;
  const most = 2 ** maskBits - 4;
  return uniform(repetitions * set.degree, maskBits, randomBytes).map((y) =>
    Math.max(-most, Math.min(most, y)),
  );
}

/**
 * A proof of whatever the statement is: with y the masks, it commits to a·y, or, for a guess e* of the
 * challenges, to a·(y + X^e*·u) - X^e*·c1, and answers y + X^e·u. It is one if what u leaves of c1 and t·c0
 * hardly differs between X^e and 0, or X^e*.
 */
export async function forge(
  prepared: PreparedStatement,
  u: Witness['u'],
  guess: readonly number[] | undefined,
  randomBytes: RandomBytes,
): Promise<Uint8Array> {
  const { parameters, equations } = prepared;
  const masks = masksOf(prepared, randomBytes);
  const vectors = guess === undefined ? masks : answered(prepared, masks, u, guess);
  const basis = firstLevel(parameters);
  const digest = await digestOf(
    prepared,
    commitmentsOf(basis, parameters, equations, vectors, guess),
  );
  const responses = answered(prepared, masks, u, exponentsOf(parameters, digest));
  return serializeProof(parameters, { digest, responses });
}

/** c with (1 - X^step)·c = r modulo q and X^N + 1; the step is a power of two up to N. */
export function dividedByDifference(r: readonly bigint[], q: bigint, step = 1): bigint[] {
  const c = [...r];
  for (let start = 0; start < step; start++) {
    let rest = 0n;
    for (let i = start + step; i < r.length; i += step) rest += r[i];
    let last = (((r[start] - rest) * ((q + 1n) / 2n)) % q) + q;
    for (let i = start; i < r.length; i += step) {
      c[i] = last = (i === start ? last : last + r[i]) % q;
    }
  }
  return c;
}
