import { expect } from 'vitest';
import type { Hex } from 'viem';
import { ComputationError } from '../../../workers/computations/errors.ts';
import type { ComputationErrorCode } from '../../../workers/computations/errors.ts';
import type { Program, Step } from '../../../workers/computations/program.ts';
import vectors from '../../vectors/programs.json' with { type: 'json' };

/** A handle of one byte, repeated. */
export const handleOf = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

/** A program over inputs 1, 2, … */
export const programOf = (inputs: number, ...steps: Step[]): Program => ({
  inputs: Array.from({ length: inputs }, (_, at) => handleOf(at + 1)),
  steps,
});

/** A thrown ComputationError with the code, for `toThrow`. */
export const failing = (code: ComputationErrorCode): ComputationError =>
  expect.objectContaining({ code }) as ComputationError;

/** What a call throws. */
export function errorOf(call: () => unknown): ComputationError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof ComputationError) return error;
    throw error;
  }
}

/** The test vectors, with the constants as integers. */
export const programVectors = vectors.map(({ program, ...vector }) => ({
  ...vector,
  names: vector.names as Readonly<Record<string, Hex>>,
  program: {
    inputs: program.inputs,
    steps: program.steps.map((step) =>
      'scalar' in step ? { ...step, scalar: BigInt(step.scalar) } : step,
    ),
  } as Program,
}));
