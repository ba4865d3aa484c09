import {
  keySwitchingNoise,
  modulusOf,
  noiseAfterSwitching,
  noiseOfProduct,
  noiseOfScalarProduct,
  noiseOfSum,
  plaintextNoise,
} from '../fhe/noise-growth.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import type { Committee } from '../sharing/committee.ts';
import { ComputationError, ComputationErrorCode } from './errors.ts';
import { requireInSet, runProgram } from './program.ts';
import type { Program, Step } from './program.ts';

/** A ciphertext's level and a guaranteed bound on its noise there. */
export interface NoiseAtLevel {
  readonly limbs: number;
  readonly noise: bigint;
}

/**
 * The noise of what a program computes, in the worst case: whatever the ciphertexts are, under keys of
 * the committee and with evaluation keys that it has made. Source: docs/noise.md.
 *
 * A register whose bound leaves no room to decrypt is refused, for nothing computed from it has any.
 * Whether the committee may decrypt the result is for `decryptionPlan` to say.
 *
 * @param inputs one for each input
 * @throws ComputationError NOISE_NEVER_FITS with the numbers, LEVEL_EXHAUSTED, INPUTS_MISMATCH; the
 * codes of `requireInSet`
 */
export function noiseOfProgram(
  set: ParameterSet,
  committee: Committee,
  program: Program,
  inputs: readonly NoiseAtLevel[],
): NoiseAtLevel {
  requireInSet(set, program);
  return runProgram(program, inputs, (step, operands, at) => {
    const limbs = Math.min(...operands.map((operand) => operand.limbs));
    const [left, right] = operands.map((operand) =>
      noiseAfterSwitching(set, committee, operand.noise, operand.limbs, limbs),
    );
    const result = noiseOfStep(set, committee, step, limbs, left, right);
    requireRoom(set, result, at);
    return result;
  });
}

/**
 * One step.
 *
 * @param limbs level of the operands
 * @param right of steps with two operands
 */
function noiseOfStep(
  set: ParameterSet,
  committee: Committee,
  step: Step,
  limbs: number,
  left: bigint,
  right: bigint,
): NoiseAtLevel {
  const switching = (kind: Parameters<typeof keySwitchingNoise>[3]): bigint =>
    keySwitchingNoise(set, committee, limbs, kind);
  switch (step.operation) {
    case 'add':
    case 'subtract':
      return { limbs, noise: noiseOfSum(left, right) };
    case 'multiply': {
      const product = noiseOfProduct(set, committee, limbs, left, right);
      return { limbs, noise: noiseOfSum(product, switching('relinearization')) };
    }
    case 'negate':
      return { limbs, noise: left };
    case 'rotateRows':
    case 'swapRows':
      return { limbs, noise: noiseOfSum(left, switching('galois')) };
    case 'switchKey':
      return { limbs, noise: noiseOfSum(left, switching('switching')) };
    case 'addScalar':
      return { limbs, noise: noiseOfSum(left, plaintextNoise) };
    case 'multiplyScalar':
      return { limbs, noise: noiseOfScalarProduct(set, step.scalar, left) };
    case 'switchDown':
      requireLevelBelow(limbs);
      return {
        limbs: limbs - 1,
        noise: noiseAfterSwitching(set, committee, left, limbs, limbs - 1),
      };
  }
}

/** @throws ComputationError LEVEL_EXHAUSTED */
export function requireLevelBelow(limbs: number): void {
  if (limbs > 1) return;
  throw new ComputationError(ComputationErrorCode.LEVEL_EXHAUSTED, 'there is no lower level');
}

/** SEAL and the committee decrypt |v| < q/(2t) at most. */
function requireRoom(set: ParameterSet, { limbs, noise }: NoiseAtLevel, step: number): void {
  const room = modulusOf(set, limbs) / (2n * set.plainModulus);
  if (noise < room) return;
  throw new ComputationError(
    ComputationErrorCode.NOISE_NEVER_FITS,
    'in the worst case the noise leaves nothing to decrypt',
    { metadata: { step, limbs, noiseBits: bits(noise), mostBits: bits(room) - 1 } },
  );
}

const bits = (value: bigint): number => value.toString(2).length;
