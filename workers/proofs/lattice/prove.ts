import { add, intt, multiply, ntt } from '../../ring/arithmetic.ts';
import type { Basis } from '../../ring/basis.ts';
import { lift } from '../../ring/lifting.ts';
import type { Witness } from '../encryption.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { secureRandomBytes, type RandomBytes } from '../randomness.ts';
import { uniform } from '../sampling.ts';
import { isSame, isWithin } from '../witness.ts';
import { commitmentsOf } from './commitments.ts';
import { countOutOfRange, countTooLong, serializeProof } from './format.ts';
import { countNearEnds } from './rounding.ts';
import {
  digestOf,
  exponentsOf,
  firstLevel,
  prepare,
  type PreparedStatement,
  type Statement,
} from './statement.ts';

/** At ten tries on average, so many fail with probability 2^-152. */
const MOST_TRIES = 1000;

/**
 * Proves that `registered` is 2c for an encryption c whose witness is known, and shows nothing else.
 *
 * @param witness of c; secret
 * @returns the bytes of the proof
 * @throws ProofError WITNESS_INVALID if there is nothing to prove; RANDOMNESS_INVALID; the codes of
 * `prepare`
 */
export async function prove(
  statement: Statement,
  witness: Witness,
  randomBytes: RandomBytes = secureRandomBytes,
): Promise<Uint8Array> {
  return makeProof(await prepare(statement), witness, randomBytes);
}

/**
 * `prove` for a prepared statement.
 *
 * Masks are drawn again until the responses, and the rounded parts of the equations, lie where they lie
 * for every witness alike. All conditions are evaluated completely before any of them counts, and the
 * number of tries does not depend on the witness.
 *
 * Source: Benhamouda, Camenisch, Krenn, Lyubashevsky, Neven (ASIACRYPT 2014); Bai, Galbraith
 * (CT-RSA 2014). See docs/input-proofs.md.
 *
 * @param basis of the first level
 */
export async function makeProof(
  prepared: PreparedStatement,
  witness: Witness,
  randomBytes: RandomBytes,
  basis: Basis = firstLevel(prepared.parameters),
): Promise<Uint8Array> {
  const { parameters, equations } = prepared;
  requireWitness(basis, prepared, witness);
  const errors = [Float64Array.from(witness.e1), witness.w];
  const { repetitions, set, maskBits } = parameters;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const masks = uniform(repetitions * set.degree, maskBits, randomBytes);
    const commitments = commitmentsOf(basis, parameters, equations, masks);
    const digest = await digestOf(prepared, commitments);
    const exponents = exponentsOf(parameters, digest);
    const responses = respond(masks, witness.u, exponents);
    let rejections = countOutOfRange(parameters, responses) + countTooLong(parameters, responses);
    commitments.forEach(({ values }, k) => {
      equations.forEach(({ rounding }, at) => {
        const prime = Number(parameters.primes[rounding.limb]);
        rejections += countNearEnds(values[at], errors[at], exponents[k], rounding, prime);
      });
    });
    if (rejections === 0) return serializeProof(parameters, { digest, responses });
  }
  throw new ProofError(ProofErrorCode.RANDOMNESS_INVALID, 'all masks failed', {
    metadata: { tries: MOST_TRIES },
  });
}

/** z_k = y_k + X^e_k·u. */
function respond(masks: Int32Array, u: Int8Array, exponents: readonly number[]): Int32Array {
  const degree = u.length;
  const responses = masks.slice();
  exponents.forEach((exponent, k) => {
    for (let i = 0; i < degree; i++) {
      const target = (i + exponent) & (2 * degree - 1);
      const sign = 1 - 2 * Number(target >= degree);
      responses[k * degree + (target & (degree - 1))] += sign * u[i];
    }
  });
  return responses;
}

/** Throws ProofError WITNESS_INVALID unless the witness is short and satisfies both equations. */
function requireWitness(
  basis: Basis,
  { parameters: { set }, equations }: PreparedStatement,
  { u, e1, w }: Witness,
): void {
  const uNtt = isWithin(u, set.degree, 1) ? ntt(basis, lift(basis.primes, u)) : undefined;
  const holds = [e1, w].every((error, at) => {
    const { rounding, factor, right } = equations[at];
    if (uNtt === undefined || !isWithin(error, set.degree, rounding.errorBound)) return false;
    const product = intt(basis, multiply(basis, uNtt, factor));
    return isSame(add(basis, product, lift(basis.primes, error)), right);
  });
  if (holds) return;
  throw new ProofError(ProofErrorCode.WITNESS_INVALID, 'not a short witness of this ciphertext', {
    metadata: { set: set.name },
  });
}
