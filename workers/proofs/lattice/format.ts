import { defaultKernels } from '../../kernels/loader.ts';
import { ProofError, ProofErrorCode } from '../errors.ts';
import type { LatticeParameters } from './parameters.ts';

// d, then each z_k: N coefficients, z + M in log2(2M) bits each, the lowest first. N is a multiple of
// 8, so each z_k ends with a byte. docs/input-proofs.md, "Bytes".

const DIGEST_BYTES = 32;

/** A proof as bytes say it. */
export interface LatticeProof {
  readonly digest: Uint8Array;
  /** R polynomials one after the other. */
  readonly responses: Int32Array;
}

/** Bytes of every proof under the parameters. */
export function proofLength(parameters: LatticeParameters): number {
  return DIGEST_BYTES + parameters.repetitions * responseBytes(parameters);
}

function responseBytes({ set, maskBits }: LatticeParameters): number {
  return (set.degree * (maskBits + 1)) / 8;
}

/** The bytes of a proof whose responses are in range. */
export function serializeProof(
  parameters: LatticeParameters,
  { digest, responses }: LatticeProof,
): Uint8Array {
  const { repetitions, set, maskBits } = parameters;
  const out = new Uint8Array(proofLength(parameters));
  out.set(digest);
  const { arena, integer } = defaultKernels();
  const mark = arena.mark();
  try {
    const length = responseBytes(parameters);
    const unpacked = arena.scratch(8 * set.degree);
    const packed = arena.scratch(length);
    const halves = new Uint32Array(arena.memory.buffer, unpacked, 2 * set.degree).fill(0);
    for (let k = 0; k < repetitions; k++) {
      for (let i = 0; i < set.degree; i++) {
        halves[2 * i] = responses[k * set.degree + i] + 2 ** maskBits;
      }
      integer.pack(packed, unpacked, set.degree, BigInt(maskBits + 1));
      out.set(arena.bytes(packed, length), DIGEST_BYTES + k * length);
    }
  } finally {
    arena.release(mark);
  }
  return out;
}

/**
 * Reads a proof from bytes that anybody may have chosen: every input is the one form of a proof whose
 * responses are in range, or refused. Allocates only once the length has been checked.
 *
 * @throws ProofError LENGTH_INVALID, RESPONSE_OUT_OF_RANGE, RESPONSE_TOO_LONG
 */
export function parseProof(parameters: LatticeParameters, bytes: Uint8Array): LatticeProof {
  const expected = proofLength(parameters);
  if (bytes.length !== expected) {
    throw new ProofError(ProofErrorCode.LENGTH_INVALID, 'a proof of another length', {
      metadata: { expected, actual: bytes.length },
    });
  }
  const { repetitions, set, maskBits } = parameters;
  const responses = new Int32Array(repetitions * set.degree);
  const { arena, integer } = defaultKernels();
  const mark = arena.mark();
  try {
    const length = responseBytes(parameters);
    const unpacked = arena.scratch(8 * set.degree);
    const packed = arena.scratch(length);
    const halves = new Uint32Array(arena.memory.buffer, unpacked, 2 * set.degree);
    for (let k = 0; k < repetitions; k++) {
      const start = DIGEST_BYTES + k * length;
      arena.bytes(packed, length).set(bytes.subarray(start, start + length));
      integer.unpack(unpacked, packed, set.degree, BigInt(maskBits + 1));
      for (let i = 0; i < set.degree; i++) {
        responses[k * set.degree + i] = halves[2 * i] - 2 ** maskBits;
      }
    }
  } finally {
    arena.release(mark);
  }
  if (countOutOfRange(parameters, responses) > 0) {
    throw new ProofError(ProofErrorCode.RESPONSE_OUT_OF_RANGE, 'a response no honest prover sends');
  }
  if (countTooLong(parameters, responses) > 0) {
    throw new ProofError(ProofErrorCode.RESPONSE_TOO_LONG, 'a response of too large a norm');
  }
  return { digest: bytes.slice(0, DIGEST_BYTES), responses };
}

/** How many coefficients are outside [-M+1, M-2], where y + X^e·u is for every honest u or for none. */
export function countOutOfRange({ maskBits }: LatticeParameters, responses: Int32Array): number {
  const bound = 2 ** maskBits;
  let count = 0;
  for (let i = 0; i < responses.length; i++) {
    count += Number(responses[i] < 1 - bound) + Number(responses[i] > bound - 2);
  }
  return count;
}

/** How many responses have a squared norm above the bound. */
export function countTooLong(parameters: LatticeParameters, responses: Int32Array): number {
  const { set, normBound } = parameters;
  let count = 0;
  for (let start = 0; start < responses.length; start += set.degree) {
    let sum = 0;
    for (let i = start; i < start + set.degree; i++) sum += responses[i] * responses[i];
    count += Number(sum > normBound);
  }
  return count;
}
