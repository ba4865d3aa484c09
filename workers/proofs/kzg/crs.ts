import { hash } from 'node:crypto';
import { bytesToHex, type Hex } from 'viem';
import { parsePowersFile } from '../../ceremony/file.ts';
import { g2BytesOf, type PowersState } from '../../ceremony/state.ts';
import { pointBytes } from '../../curve/points.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import { DIGEST_BYTES } from './format.ts';
import { kzgParameters, type KzgParameters } from './parameters.ts';
import type { ParameterSet } from '../../ring/parameters.ts';

/** What verifying needs of the powers of tau. */
export interface CrsKey {
  /** SHA-256 of the `.ptau` file. */
  readonly digest: Hex;
  readonly power: number;
  /** τ·G2, as in a file. */
  readonly tauG2: Uint8Array;
}

/** What proving needs of the powers of tau. */
export interface Crs {
  readonly key: CrsKey;
  /** τ^k·G1, k from 0, as in a file. */
  readonly tauG1: Uint8Array;
}

/**
 * The key of the powers of tau that a state stands for, from the chain or from a file.
 *
 * @param state one that a ceremony recorded: its points are valid
 * @throws CurveError NOT_A_POINT
 */
export function crsKeyOf(state: Pick<PowersState, 'digest' | 'power' | 'tauG2'>): CrsKey {
  const { digest, power, tauG2 } = state;
  return { digest, power, tauG2: g2BytesOf(tauG2) };
}

/**
 * The powers of tau of a file, which is the one that the key names.
 *
 * Who made the points of another file could see through the blinding of proofs that are made with it.
 *
 * @param file the bytes of a `.ptau` file; they must not change any more
 * @throws ProofError CRS_MISMATCH; CeremonyError the codes of `parsePowersFile`
 */
export function openCrs(file: Uint8Array, key: CrsKey): Crs {
  requireDigest(file, key.digest);
  return { key, tauG1: parsePowersFile(file).tauG1 };
}

/**
 * The powers of tau of a file whose digest whoever calls trusts, as that of a ceremony's result. `openCrs`
 * for those who have no chain at hand: nothing of the points is checked here either.
 *
 * @throws ProofError CRS_MISMATCH; CeremonyError the codes of `parsePowersFile`
 */
export function crsByDigest(file: Uint8Array, digest: Hex): Crs {
  requireDigest(file, digest);
  const { power, tauG1, tauG2 } = parsePowersFile(file);
  const key = {
    digest,
    power,
    tauG2: tauG2.slice(pointBytes.g2, 2 * pointBytes.g2),
  };
  return { key, tauG1 };
}

/** Throws ProofError CRS_MISMATCH. */
function requireDigest(file: Uint8Array, expected: Hex): void {
  const digest = `0x${hash('sha256', file, 'hex')}`;
  if (digest === expected) return;
  throw new ProofError(ProofErrorCode.CRS_MISMATCH, 'not the file with these powers of tau', {
    metadata: { expected, digest },
  });
}

/** Throws ProofError CRS_TOO_SMALL. */
export function requirePower({ set, power: needed }: KzgParameters, { power }: CrsKey): void {
  if (power >= needed) return;
  throw new ProofError(ProofErrorCode.CRS_TOO_SMALL, 'too few powers of tau', {
    metadata: { set: set.name, power, needed },
  });
}

/** The points that commitments are made of. Throws ProofError CRS_TOO_SMALL. */
export function commitmentPoints(parameters: KzgParameters, { key, tauG1 }: Crs): Uint8Array {
  requirePower(parameters, key);
  return tauG1.subarray(0, parameters.length * pointBytes.g1);
}

/**
 * The digest of the powers of tau that a proof says it was made with.
 *
 * @throws ProofError LENGTH_INVALID
 */
export function crsDigestOf(set: ParameterSet, proof: Uint8Array): Hex {
  const { proofBytes } = kzgParameters(set);
  if (proof.length !== proofBytes) {
    throw new ProofError(ProofErrorCode.LENGTH_INVALID, 'a proof of another length', {
      metadata: { expected: proofBytes, actual: proof.length },
    });
  }
  return bytesToHex(proof.subarray(0, DIGEST_BYTES));
}
