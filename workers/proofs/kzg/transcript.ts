import { groupOrder, scalarAt } from '../../curve/vectors.ts';
import { concatenated } from '../context.ts';
import { sha256 } from '../digest.ts';
import type { ProofParts } from './format.ts';

// Challenges by Fiat and Shamir: each digest covers the one before and what the prover has sent since.

/** Of the columns. */
export interface FirstChallenges {
  /** Where the lookup's fractions are compared. */
  readonly beta: bigint;
  /** Weights of the equations. */
  readonly gamma: bigint;
  /** Weight of the equations beside the lookup. */
  readonly alpha: bigint;
}

export interface Challenges extends FirstChallenges {
  /** Where polynomials are opened. */
  readonly zeta: bigint;
  /** Weights of the polynomials that are opened in one point. */
  readonly v: bigint;
  /** Weight of the second opening. */
  readonly u: bigint;
}

/** A digest that goes on. */
export class Transcript {
  readonly #digest: Uint8Array;

  private constructor(digest: Uint8Array) {
    this.#digest = digest;
  }

  static async start(prefix: Uint8Array, crsDigest: Uint8Array): Promise<Transcript> {
    return new Transcript(await sha256(concatenated([prefix, crsDigest])));
  }

  async add(bytes: Uint8Array): Promise<Transcript> {
    return new Transcript(await sha256(concatenated([this.#digest, bytes])));
  }

  /** SHA-256 of the digest and two numbers, 64 bytes together, modulo the group order. */
  async challenge(number: number): Promise<bigint> {
    const halves = await Promise.all(
      [2 * number, 2 * number + 1].map((part) =>
        sha256(concatenated([this.#digest, Uint8Array.of(part)])),
      ),
    );
    const bytes = concatenated(halves);
    return (scalarAt(bytes, 0) + (scalarAt(bytes, 1) << 256n)) % groupOrder;
  }

  /** Once the columns are committed to. */
  async first(): Promise<FirstChallenges> {
    const [beta, gamma, alpha] = await Promise.all([0, 1, 2].map((i) => this.challenge(i)));
    return { beta, gamma, alpha };
  }
}

/** All challenges of a proof. */
export async function challengesOf(prefix: Uint8Array, parts: ProofParts): Promise<Challenges> {
  const start = await Transcript.start(prefix, parts.crsDigest);
  const columns = await start.add(parts.columns);
  const sums = await columns.add(parts.sums);
  const values = await sums.add(parts.values);
  const openings = await values.add(parts.openings);
  return {
    ...(await columns.first()),
    zeta: await sums.challenge(0),
    v: await values.challenge(0),
    u: await openings.challenge(0),
  };
}
