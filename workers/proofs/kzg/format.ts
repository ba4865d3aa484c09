import { bytesToHex, type Hex } from 'viem';
import { perform } from '../../curve/engine.ts';
import { CurveErrorCode } from '../../curve/errors.ts';
import { fromEvm, pointBytes } from '../../curve/points.ts';
import { groupOrder, scalarAt } from '../../curve/vectors.ts';
import { isKeyloomError } from '../../errors.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import type { KzgParameters } from './parameters.ts';

// A proof is the digest of the powers of tau, the commitments, the values and the two openings:
// docs/input-proofs.md, "Bytes". Points are as the precompiles take them, values 32 bytes, little-endian.

export const DIGEST_BYTES = 32;
const VALUE_BYTES = 32;

/** Parts of a proof's bytes, each as the transcript takes it. */
export interface ProofParts {
  readonly crsDigest: Uint8Array;
  /** Commitments of the columns, then of the multiplicities. */
  readonly columns: Uint8Array;
  /** Commitments of the sums, then of the parts of the quotient. */
  readonly sums: Uint8Array;
  /** At ζ of the columns, the multiplicities and the sums; at ω·ζ of the sums. */
  readonly values: Uint8Array;
  /** The openings at ζ and ω·ζ. */
  readonly openings: Uint8Array;
}

/** A proof as the verifier computes with it. */
export interface KzgProof {
  readonly crsDigest: Hex;
  readonly parts: ProofParts;
  /** As in a file: columns, multiplicities, sums, parts of the quotient. */
  readonly commitments: Uint8Array;
  readonly values: readonly bigint[];
  /** As in a file. */
  readonly openings: Uint8Array;
}

/** Views of a proof's parts. Throws ProofError LENGTH_INVALID. */
export function partsOf(parameters: KzgParameters, bytes: Uint8Array): ProofParts {
  const { columns, chunks, proofBytes } = parameters;
  if (bytes.length !== proofBytes) {
    throw new ProofError(ProofErrorCode.LENGTH_INVALID, 'a proof of another length', {
      metadata: { expected: proofBytes, actual: bytes.length },
    });
  }
  let at = 0;
  const next = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  return {
    crsDigest: next(DIGEST_BYTES),
    columns: next(pointBytes.g1 * (columns + 1)),
    sums: next(pointBytes.g1 * (1 + chunks)),
    values: next(VALUE_BYTES * (columns + 3)),
    openings: next(pointBytes.g1 * 2),
  };
}

/**
 * Reads a proof from bytes that anybody may have chosen: every point is one of the curve and not
 * infinity, every value below the group order, and each in its one form.
 *
 * @throws ProofError LENGTH_INVALID, POINT_INVALID, VALUE_OUT_OF_RANGE
 */
export function parseProof(parameters: KzgParameters, bytes: Uint8Array): KzgProof {
  const parts = partsOf(parameters, bytes.slice());
  const points = validPoints([parts.columns, parts.sums, parts.openings]);
  const values = Array.from({ length: parameters.columns + 3 }, (_, i) =>
    scalarAt(parts.values, i),
  );
  if (values.some((value) => value >= groupOrder)) {
    throw new ProofError(ProofErrorCode.VALUE_OUT_OF_RANGE, 'a value is not below the order');
  }
  const end = points.length - parts.openings.length;
  return {
    ...{ crsDigest: bytesToHex(parts.crsDigest), parts, values },
    ...{ commitments: points.subarray(0, end), openings: points.subarray(end) },
  };
}

function validPoints(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  let points: Uint8Array;
  try {
    points = fromEvm('g1', all);
  } catch (cause) {
    if (!isKeyloomError(cause, CurveErrorCode.NOT_A_POINT)) throw cause;
    throw new ProofError(ProofErrorCode.POINT_INVALID, 'a coordinate is not below p', { cause });
  }
  const copy = new Uint8Array(points);
  const position = perform({ kind: 'validate', group: 'g1', points: copy }) as number;
  if (position < 0) return copy;
  throw new ProofError(ProofErrorCode.POINT_INVALID, 'a commitment is not a point of the curve', {
    metadata: { position },
  });
}
