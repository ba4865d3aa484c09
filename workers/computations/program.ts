import type { Hex } from 'viem';
import type { ParameterSet } from '../ring/parameters.ts';
import { ComputationError, ComputationErrorCode } from './errors.ts';

// What a computed ciphertext is computed by. Registers are numbered: first the inputs, then the
// results of the steps, each written once. docs/computations.md has what each step does.

/** The register that a step reads. */
export type Register = number;

export type Step =
  | {
      readonly operation: 'add' | 'subtract' | 'multiply';
      readonly left: Register;
      readonly right: Register;
    }
  | {
      readonly operation: 'negate' | 'swapRows' | 'switchDown' | 'switchKey';
      readonly of: Register;
    }
  /** To the left by `steps` slots, to the right if it is negative. */
  | { readonly operation: 'rotateRows'; readonly of: Register; readonly steps: number }
  /** A constant in all slots; where there are none, in coefficient 0. */
  | {
      readonly operation: 'addScalar' | 'multiplyScalar';
      readonly of: Register;
      readonly scalar: bigint;
    };

export interface Program {
  /** Handles, strictly ascending, in lower case. */
  readonly inputs: readonly Hex[];
  /** The last one's register is the result. */
  readonly steps: readonly Step[];
}

export const MAX_INPUTS = 16;
export const MAX_STEPS = 32;

/** Registers that a step reads. */
export function registersOf(step: Step): readonly Register[] {
  return 'of' in step ? [step.of] : [step.left, step.right];
}

/**
 * Runs a program over anything: ciphertexts, noise bounds, keys.
 *
 * @param inputs the first registers, one for each input
 * @param apply a step, with what is in the registers that it reads
 * @returns what is in the last register
 * @throws ComputationError INPUTS_MISMATCH
 */
export function runProgram<Value>(
  program: Program,
  inputs: readonly Value[],
  apply: (step: Step, operands: readonly Value[], number: number) => Value,
): Value {
  if (inputs.length !== program.inputs.length) {
    throw new ComputationError(ComputationErrorCode.INPUTS_MISMATCH, 'one value for each input', {
      metadata: { expected: program.inputs.length, actual: inputs.length },
    });
  }
  const registers = [...inputs];
  program.steps.forEach((step, number) => {
    const operands = registersOf(step).map((register) => registers[register]);
    registers.push(apply(step, operands, number));
  });
  return registers.at(-1);
}

/**
 * What every program keeps, whatever the parameter set: it is within its bounds, does nothing in vain
 * and has one byte form.
 *
 * @returns the same program
 * @throws ComputationError INPUTS_INVALID, INPUTS_UNORDERED, STEPS_INVALID, REGISTER_INVALID,
 * ROTATION_INVALID, SCALAR_INVALID, STEP_REPEATED, REGISTER_UNUSED
 */
export function requireProgram(program: Program): Program {
  const { inputs, steps } = program;
  if (inputs.length < 1 || inputs.length > MAX_INPUTS || !inputs.every(isHandle)) {
    throw refused(ComputationErrorCode.INPUTS_INVALID, { inputs: inputs.length });
  }
  const unordered = inputs.findIndex((handle, at) => at > 0 && handle <= inputs[at - 1]);
  if (unordered >= 0) throw refused(ComputationErrorCode.INPUTS_UNORDERED, { input: unordered });
  if (steps.length < 1 || steps.length > MAX_STEPS) {
    throw refused(ComputationErrorCode.STEPS_INVALID, { steps: steps.length });
  }
  const computed = new Set<string>();
  const read = new Set<Register>();
  steps.forEach((step, at) => {
    requireStep(step, at, inputs.length + at);
    const identity = identityOf(step);
    if (computed.has(identity)) throw refused(ComputationErrorCode.STEP_REPEATED, { step: at });
    computed.add(identity);
    for (const register of registersOf(step)) read.add(register);
  });
  const result = inputs.length + steps.length - 1;
  for (let register = 0; register < result; register++) {
    if (!read.has(register)) throw refused(ComputationErrorCode.REGISTER_UNUSED, { register });
  }
  return program;
}

/**
 * What a program keeps in one parameter set: there are slots to move, rotations stay within a row, and
 * constants between -t and t.
 *
 * @throws ComputationError SLOTS_UNSUPPORTED, ROTATION_INVALID, SCALAR_INVALID
 */
export function requireInSet(set: ParameterSet, { steps }: Program): void {
  steps.forEach((step, at) => {
    const moves = step.operation === 'rotateRows' || step.operation === 'swapRows';
    if (moves && !set.batching) throw refused(ComputationErrorCode.SLOTS_UNSUPPORTED, { step: at });
    if ('steps' in step && Math.abs(step.steps) >= set.degree / 2) {
      throw refused(ComputationErrorCode.ROTATION_INVALID, { step: at, steps: step.steps });
    }
    const bound = set.plainModulus;
    if ('scalar' in step && (step.scalar <= -bound || step.scalar >= bound)) {
      throw refused(ComputationErrorCode.SCALAR_INVALID, { step: at, scalar: step.scalar });
    }
  });
}

/** The same for two steps that compute the same. */
export function identityOf(step: Step): string {
  if ('of' in step) {
    const argument = 'steps' in step ? step.steps : 'scalar' in step ? step.scalar : '';
    return `${step.operation} ${step.of} ${argument}`;
  }
  const { operation, left, right } = step;
  const swapped = operation !== 'subtract' && left > right;
  return swapped ? `${operation} ${right} ${left}` : `${operation} ${left} ${right}`;
}

function requireStep(step: Step, at: number, registers: number): void {
  for (const register of registersOf(step)) {
    if (Number.isInteger(register) && register >= 0 && register < registers) continue;
    throw refused(ComputationErrorCode.REGISTER_INVALID, { step: at, register });
  }
  if (step.operation === 'rotateRows' && (step.steps === 0 || step.steps !== (step.steps | 0))) {
    throw refused(ComputationErrorCode.ROTATION_INVALID, { step: at, steps: step.steps });
  }
  if ('scalar' in step && (step.scalar === 0n || step.scalar !== BigInt.asIntN(64, step.scalar))) {
    throw refused(ComputationErrorCode.SCALAR_INVALID, { step: at, scalar: step.scalar });
  }
}

const isHandle = (handle: Hex): boolean => /^0x[0-9a-f]{64}$/.test(handle);

const refused = (
  code: ComputationErrorCode,
  metadata: Record<string, number | bigint>,
): ComputationError => new ComputationError(code, 'this is no program', { metadata });
