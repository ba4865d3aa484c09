import { KeyloomError } from '../errors.ts';

export const KernelErrorCode = {
  /** The compiled modules are missing: run `npm run build`. */
  NOT_BUILT: 'KERNELS_NOT_BUILT',
  /** The modulus is even, too small or too large for the kernels. */
  MODULUS_UNSUPPORTED: 'KERNELS_MODULUS_UNSUPPORTED',
  /** The modulus has no primitive root of unity of order 2N, or N is no power of two from 16 on. */
  DEGREE_UNSUPPORTED: 'KERNELS_DEGREE_UNSUPPORTED',
  /** A residue is not below its prime. */
  RESIDUE_OUT_OF_RANGE: 'KERNELS_RESIDUE_OUT_OF_RANGE',
  /** A bit width lies outside the range that the kernels are proved for. */
  ARGUMENT_OUT_OF_RANGE: 'KERNELS_ARGUMENT_OUT_OF_RANGE',
  /** A long-lived block was asked for while scratch memory was live: a fault of the caller. */
  SCRATCH_LIVE: 'KERNELS_SCRATCH_LIVE',
  /** The 4 GiB of linear memory are exhausted. */
  OUT_OF_MEMORY: 'KERNELS_OUT_OF_MEMORY',
} as const;

export type KernelErrorCode = (typeof KernelErrorCode)[keyof typeof KernelErrorCode];

/** An error of the arithmetic kernels. Residues never enter its metadata. */
export class KernelError extends KeyloomError<KernelErrorCode> {}
