import { randomBytes } from 'node:crypto';
import { isOne, isZero, randomScalar, wipe } from '../curve/scalars.ts';
import { iterateBeacon } from './beacon.ts';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import type { Beacon } from './records.ts';
import { SeededStream } from './stream.ts';
import { secretNames, type SecretName } from './transcript.ts';

/** One scalar or point for each secret of a contribution. */
export type PerSecret<T> = Readonly<Record<SecretName, T>>;

/**
 * The secrets of one contribution: the factors and the nonces of the proof that they are known.
 * Whoever learns the factors of all contributors can forge proofs: they exist for one contribution and
 * are wiped after it.
 *
 * Wiping overwrites these bytes. What it cannot reach: copies that the garbage collector made when it
 * moved a small array, registers, memory pages that the system wrote to disk, a core dump. So an
 * operator's machine should have no swap or an encrypted one, and no core dumps.
 */
export class ContributionSecrets {
  /** Public points S of the records' key, as in a file. */
  readonly keyPoints: PerSecret<Uint8Array>;
  /** Present if nothing here is secret, because everybody can draw it. */
  readonly beacon?: Beacon;
  readonly #factors: PerSecret<Uint8Array>;
  readonly #nonces: PerSecret<Uint8Array>;
  #wiped = false;

  /**
   * Takes the arrays over: they are wiped with it. `draw` is what a contributor wants.
   *
   * @throws CeremonyError SECRET_INVALID
   */
  constructor(
    factors: PerSecret<Uint8Array>,
    nonces: PerSecret<Uint8Array>,
    keyPoints: PerSecret<Uint8Array>,
    beacon?: Beacon,
  ) {
    this.#factors = factors;
    this.#nonces = nonces;
    this.keyPoints = keyPoints;
    if (beacon !== undefined) this.beacon = beacon;
    for (const name of secretNames) {
      if (isZero(factors[name]) || isOne(factors[name])) {
        this.wipe();
        throw new CeremonyError(CeremonyErrorCode.SECRET_INVALID, 'a secret is neither 0 nor 1');
      }
    }
  }

  /** Draws secrets from the system's generator. */
  static draw(): ContributionSecrets {
    // The points need not be secret, only somebody's: a stream of their own.
    const stream = new SeededStream(randomBytes(32));
    return new ContributionSecrets(
      perSecret(randomScalar),
      perSecret(randomScalar),
      perSecret(() => stream.g1()),
    );
  }

  /**
   * The contribution of a beacon, the same for everybody: factors and points as snarkjs derives them,
   * and nonces from the same stream.
   *
   * @throws CeremonyError BEACON_INVALID; SECRET_INVALID with negligible probability
   */
  static async fromBeacon(beacon: Beacon, signal?: AbortSignal): Promise<ContributionSecrets> {
    const stream = new SeededStream(await iterateBeacon(beacon, signal));
    const factors = perSecret(() => stream.scalar());
    const keyPoints = perSecret(() => stream.g1());
    const nonces = perSecret(() => stream.scalar());
    return new ContributionSecrets(factors, nonces, keyPoints, beacon);
  }

  /** What sections are multiplied by. @throws CeremonyError SECRET_WIPED */
  get factors(): PerSecret<Uint8Array> {
    this.#assertNotWiped();
    return this.#factors;
  }

  /** For one proof, never for a second one. @throws CeremonyError SECRET_WIPED */
  get nonces(): PerSecret<Uint8Array> {
    this.#assertNotWiped();
    return this.#nonces;
  }

  /** Overwrites the secrets. Safe to call again. */
  wipe(): void {
    this.#wiped = true;
    for (const name of secretNames) {
      wipe(this.#factors[name]);
      wipe(this.#nonces[name]);
    }
  }

  #assertNotWiped(): void {
    if (this.#wiped) {
      throw new CeremonyError(CeremonyErrorCode.SECRET_WIPED, 'the secrets have been wiped');
    }
  }
}

/** Calls in the order of the names: the order in which a stream is read. */
export function perSecret<T>(make: (name: SecretName) => T): PerSecret<T> {
  return { tau: make('tau'), alpha: make('alpha'), beta: make('beta') };
}
