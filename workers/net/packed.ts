import { packedLength, packResidues, unpackResidues } from '../ring/packing.ts';
import type { RnsVector } from '../ring/basis.ts';
import { RingErrorCode } from '../ring/errors.ts';
import type { OpeningShape } from '../sharing/opening.ts';
import { isKeyloomError } from '../errors.ts';
import { NetError, NetErrorCode } from './errors.ts';

/** Residues on the wire, in as many bits as their primes have. The asker knows the shape. */
export interface Residues {
  readonly shape: OpeningShape;
  /** As received: whether each is below its prime is for the opening to check. */
  readonly residues: RnsVector;
}

export function packedBytes({ primes, width, polynomials }: OpeningShape): number {
  return packedLength(primes, width, polynomials);
}

/** @throws RingError LENGTH_MISMATCH, RESIDUE_TOO_WIDE: the own residues have not the shape */
export function encodePacked({ shape, residues }: Residues): Uint8Array {
  return packResidues(shape.primes, shape.width, shape.polynomials, residues);
}

/** Throws `answerLengthWrong`, or `answerMalformed` for bits where there are none. */
export function decodePacked(bytes: Uint8Array, shape: OpeningShape): Residues {
  const expected = packedBytes(shape);
  if (bytes.length !== expected) {
    throw new NetError(NetErrorCode.answerLengthWrong, 'Answer of the wrong length', {
      metadata: { expected, received: bytes.length },
    });
  }
  try {
    const { primes, width, polynomials } = shape;
    return { shape, residues: unpackResidues(primes, width, polynomials, bytes) };
  } catch (cause) {
    if (!isKeyloomError(cause, RingErrorCode.PACKED_FORM_INVALID)) throw cause;
    throw new NetError(NetErrorCode.answerMalformed, 'Not the packed form of residues', { cause });
  }
}
