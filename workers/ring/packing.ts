import { defaultKernels, type Kernels } from '../kernels/loader.ts';
import { requireLength, type RnsVector } from './basis.ts';
import { RingError, RingErrorCode } from './errors.ts';

// Residues in as many bits as their prime has. The bytes are in docs/formats.md, "Packed shares".

/**
 * Bytes of packed residues.
 *
 * @param primes one limb each
 * @param width residues per limb
 * @param polynomials how many times all limbs, one after the other
 */
export function packedLength(
  primes: readonly bigint[],
  width: number,
  polynomials: number,
): number {
  return polynomials * primes.reduce((sum, prime) => sum + limbBytes(prime, width), 0);
}

/**
 * Packs residues for the wire: 44 bits each instead of 64 for a prime of 44 bits.
 *
 * @param residues polynomials one after the other, each limb-major
 * @returns `packedLength` bytes
 * @throws RingError LENGTH_MISMATCH, RESIDUE_TOO_WIDE
 */
export function packResidues(
  primes: readonly bigint[],
  width: number,
  polynomials: number,
  residues: RnsVector,
  kernels: Kernels = defaultKernels(),
): Uint8Array<ArrayBuffer> {
  requireLength(polynomials * primes.length * width, residues);
  const out = new Uint8Array(packedLength(primes, width, polynomials));
  const { arena, integer } = kernels;
  eachLimb(kernels, primes, width, polynomials, ({ prime, limb, start, length }) => {
    const source = arena.scratch(8 * width);
    arena.u64(source, width).set(residues.subarray(limb * width, (limb + 1) * width));
    const packed = arena.scratch(length);
    if (integer.pack(packed, source, width, BigInt(bitLength(prime))) === 0) {
      throw new RingError(RingErrorCode.RESIDUE_TOO_WIDE, 'residue with more bits than its prime', {
        metadata: { prime },
      });
    }
    out.set(arena.bytes(packed, length), start);
  });
  return out;
}

/**
 * Inverse of `packResidues`, for bytes that anybody may have chosen: they are the one form of their
 * residues, or rejected. A residue may be as large as its bits allow; whether it is below its prime
 * is for the opening to check, as for shares that came unpacked.
 *
 * @throws RingError PACKED_FORM_INVALID
 */
export function unpackResidues(
  primes: readonly bigint[],
  width: number,
  polynomials: number,
  bytes: Uint8Array,
  kernels: Kernels = defaultKernels(),
): RnsVector {
  const expected = packedLength(primes, width, polynomials);
  if (bytes.length !== expected) throw invalid({ expected, actual: bytes.length });
  const out: RnsVector = new BigUint64Array(polynomials * primes.length * width);
  const { arena, integer } = kernels;
  eachLimb(kernels, primes, width, polynomials, ({ prime, limb, start, length }) => {
    const bits = bitLength(prime);
    const usedInLastByte = (width * bits) % 8;
    if (usedInLastByte !== 0 && bytes[start + length - 1] >> usedInLastByte !== 0) {
      throw invalid({ limb });
    }
    const packed = arena.scratch(length);
    arena.bytes(packed, length).set(bytes.subarray(start, start + length));
    const target = arena.scratch(8 * width);
    integer.unpack(target, packed, width, BigInt(bits));
    out.set(arena.u64(target, width), limb * width);
  });
  return out;
}

/** Runs `step` for the limbs of all polynomials in order, with scratch memory of its own. */
function eachLimb(
  { arena }: Kernels,
  primes: readonly bigint[],
  width: number,
  polynomials: number,
  step: (at: { prime: bigint; limb: number; start: number; length: number }) => void,
): void {
  let start = 0;
  for (let limb = 0; limb < polynomials * primes.length; limb++) {
    const prime = primes[limb % primes.length];
    const length = limbBytes(prime, width);
    const mark = arena.mark();
    try {
      step({ prime, limb, start, length });
    } finally {
      arena.release(mark);
    }
    start += length;
  }
}

function limbBytes(prime: bigint, width: number): number {
  return Math.ceil((width * bitLength(prime)) / 8);
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function invalid(metadata: Readonly<Record<string, number>>): RingError {
  return new RingError(RingErrorCode.PACKED_FORM_INVALID, 'not the packed form of such residues', {
    metadata,
  });
}
