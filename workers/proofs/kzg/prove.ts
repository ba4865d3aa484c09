import { setImmediate } from 'node:timers/promises';
import { hexToBytes } from 'viem';
import { Curve } from '../../curve/curve.ts';
import { toEvm } from '../../curve/points.ts';
import { SCALAR_BYTES } from '../../curve/scalars.ts';
import {
  groupOrder,
  rootOfUnity,
  scalarAt,
  scalarBytes,
  withVectors,
  writeScalar,
} from '../../curve/vectors.ts';
import { modPow } from '../../kernels/numbers.ts';
import { concatenated } from '../context.ts';
import { ciphertextOf, type Witness } from '../encryption.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { secureRandomBytes, type RandomBytes } from '../randomness.ts';
import { binomialBound } from '../sampling.ts';
import { isSame, isWithin } from '../witness.ts';
import { cosetCount, cosetShift, quotientOnCoset, quotientParts, sumsOf } from './argument.ts';
import { cellsOf, type Cells } from './cells.ts';
import { commitmentPoints, requirePower, type Crs } from './crs.ts';
import { reduced } from './equations.ts';
import { combination, openingAt, valueAt } from './openings.ts';
import { COLUMN_BLINDS, SUM_BLINDS, type KzgParameters } from './parameters.ts';
import { blinded, interpolate, interpolateIntegers, randomFieldElement } from './polynomials.ts';
import { prepareKzg, type KzgStatement, type PreparedKzg } from './statement.ts';
import { Transcript, type FirstChallenges } from './transcript.ts';

export interface KzgOptions {
  /** Told how many of all steps, of about the same length, are done. */
  readonly onProgress?: (done: number, steps: number) => void;
  /** Stops between steps; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly randomness?: RandomBytes;
  /** Threads to compute on; by default some that start and end with the proof. */
  readonly curve?: Curve;
}

/**
 * Proves that `registered` is an encryption whose witness is known, and shows nothing else. Takes seconds,
 * on threads but for steps of up to 0.1 s.
 *
 * @param witness secret
 * @param crs of the powers of tau that the verifier knows: `openCrs`
 * @returns the bytes of the proof
 * @throws ProofError WITNESS_INVALID if there is nothing to prove; CRS_TOO_SMALL; the codes of
 * `prepareKzg`; CurveError THREAD_DIED; the signal's reason
 */
export async function proveKzg(
  statement: KzgStatement,
  witness: Witness,
  crs: Crs,
  options: KzgOptions = {},
): Promise<Uint8Array> {
  const prepared = await prepareKzg(statement);
  requireWitness(prepared, witness);
  return makeKzgProof(prepared, cellsOf(prepared, witness), crs, options);
}

/**
 * `proveKzg` for a prepared statement and cells that are not looked at.
 *
 * Sources: Haböck, logUp (2022/1530), for the lookup; Gabizon, Williamson, Ciobotaru, PLONK (2019/953), for
 * quotient, blinding and openings. See docs/input-proofs.md.
 */
export async function makeKzgProof(
  prepared: PreparedKzg,
  cells: Cells,
  crs: Crs,
  options: KzgOptions = {},
): Promise<Uint8Array> {
  requirePower(prepared.parameters, crs.key);
  options.signal?.throwIfAborted();
  if (options.curve !== undefined) {
    return new Prover(prepared, cells, crs, options.curve, options).run();
  }
  const curve = await Curve.start();
  try {
    return await new Prover(prepared, cells, crs, curve, options).run();
  } finally {
    await curve.close();
  }
}

class Prover {
  readonly #prepared: PreparedKzg;
  readonly #parameters: KzgParameters;
  readonly #cells: Cells;
  readonly #crs: Crs;
  readonly #points: Uint8Array;
  readonly #curve: Curve;
  readonly #options: KzgOptions;
  readonly #randomBytes: RandomBytes;
  #done = 0;

  constructor(prepared: PreparedKzg, cells: Cells, crs: Crs, curve: Curve, options: KzgOptions) {
    this.#prepared = prepared;
    this.#parameters = prepared.parameters;
    this.#cells = cells;
    this.#crs = crs;
    this.#points = commitmentPoints(prepared.parameters, crs);
    this.#curve = curve;
    this.#options = options;
    this.#randomBytes = options.randomness ?? secureRandomBytes;
  }

  async run(): Promise<Uint8Array> {
    const { cells } = this.#parameters;
    const crsDigest = hexToBytes(this.#crs.key.digest);
    const columns = this.#columns();
    const columnPoints = await this.#commit(columns);
    const start = await Transcript.start(this.#prepared.prefix, crsDigest);
    const afterColumns = await start.add(columnPoints);
    const { sums, chunks } = await this.#sums(columns, await afterColumns.first());
    const sumPoints = await this.#commit([sums, ...chunks]);
    const afterSums = await afterColumns.add(sumPoints);

    const zeta = await afterSums.challenge(0);
    const next = reduced(zeta * rootOfUnity(cells));
    const opened = [...columns, sums];
    const values = [...opened.map((polynomial) => valueAt(polynomial, zeta)), valueAt(sums, next)];
    const valueBytes = concatenated(values.map(scalarBytes));
    const v = await (await afterSums.add(valueBytes)).challenge(0);
    const quotient = combination(chunks, modPow(zeta, BigInt(cells), groupOrder));
    const openings = await this.#commit([
      openingAt(combination([...opened, quotient], v), zeta),
      openingAt(sums, next),
    ]);
    return concatenated([crsDigest, columnPoints, sumPoints, valueBytes, openings]);
  }

  /** The columns, then the multiplicities: opened in one point, and committed to. */
  #columns(): Uint8Array[] {
    const { columns, multiplicities } = this.#cells;
    return [...columns, multiplicities].map((values) => {
      const coefficients = withVectors((vectors) => interpolateIntegers(vectors, values));
      return blinded(coefficients, this.#parameters.length, COLUMN_BLINDS, this.#randomBytes);
    });
  }

  /** The running sums, opened in two points, and the quotient. */
  async #sums(columns: readonly Uint8Array[], challenges: FirstChallenges) {
    const parameters = this.#parameters;
    const { known, coefficients } = withVectors((vectors) => {
      const { known, sums } = sumsOf(vectors, this.#prepared, this.#cells, challenges);
      return { known, coefficients: interpolate(vectors, sums) };
    });
    const sums = blinded(coefficients, parameters.length, SUM_BLINDS, this.#randomBytes);
    const committed = { columns: columns.slice(0, -1), multiplicities: columns.at(-1)!, sums };
    const remainders: Uint8Array[] = [];
    for (let k = 0; k < cosetCount(parameters); k++) {
      await this.#step(() => {
        remainders.push(
          withVectors((vectors) =>
            quotientOnCoset(vectors, parameters, known, committed, challenges, cosetShift(k)),
          ),
        );
      });
    }
    return { sums, chunks: this.#chunks(remainders) };
  }

  /** The quotient's chunks, each blinded by a multiple of X^n that the next one takes back. */
  #chunks(remainders: readonly Uint8Array[]): Uint8Array[] {
    const { cells, length, chunks } = this.#parameters;
    const parts = withVectors((vectors) => quotientParts(vectors, this.#parameters, remainders));
    let carried = 0n;
    return Array.from({ length: chunks }, (_, k) => {
      const chunk = new Uint8Array(SCALAR_BYTES * length);
      chunk.set(parts[k]);
      writeScalar(chunk, 0, scalarAt(chunk, 0) - carried);
      if (k < chunks - 1) {
        carried = randomFieldElement(this.#randomBytes);
        writeScalar(chunk, cells, carried);
      } else {
        // The few coefficients beyond the last chunk stay with it.
        const rest = parts[chunks].subarray(0, SCALAR_BYTES * (length - cells));
        chunk.set(rest, SCALAR_BYTES * cells);
      }
      return chunk;
    });
  }

  /** Commitments, as the precompiles take them. */
  async #commit(polynomials: readonly Uint8Array[]): Promise<Uint8Array> {
    const commitments: Uint8Array[] = [];
    for (const polynomial of polynomials) {
      await this.#step(async () => {
        commitments.push(await this.#curve.combination('g1', this.#points, polynomial));
      });
    }
    return toEvm('g1', concatenated(commitments));
  }

  /** Lets others run first, and counts. */
  async #step(work: () => void | Promise<void>): Promise<void> {
    const { onProgress, signal } = this.#options;
    const { columns, chunks } = this.#parameters;
    await setImmediate();
    signal?.throwIfAborted();
    await work();
    onProgress?.(++this.#done, columns + chunks + 4 + cosetCount(this.#parameters));
  }
}

/** Throws ProofError WITNESS_INVALID unless the witness is honest and of this ciphertext. */
function requireWitness({ parameters, key, ciphertext }: PreparedKzg, witness: Witness): void {
  const { set } = parameters;
  const honest = binomialBound * Number(set.plainModulus) + Number(set.plainModulus / 2n);
  const short =
    isWithin(witness.u, set.degree, 1) &&
    isWithin(witness.e1, set.degree, binomialBound) &&
    isWithin(witness.w, set.degree, honest);
  if (short) {
    const { c0, c1 } = ciphertextOf(key, witness);
    if (isSame(c0, ciphertext.c0) && isSame(c1, ciphertext.c1)) return;
  }
  throw new ProofError(ProofErrorCode.WITNESS_INVALID, 'not a short witness of this ciphertext', {
    metadata: { set: set.name },
  });
}
