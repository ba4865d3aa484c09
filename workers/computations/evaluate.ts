import type { Hex } from 'viem';
import { isKeyloomError } from '../errors.ts';
import { FheErrorCode } from '../fhe/errors.ts';
import { withArithmetic } from '../fhe/evaluation.ts';
import type { Arithmetic, Operand } from '../fhe/evaluation.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { ComputationError, ComputationErrorCode } from './errors.ts';
import { keysOfSteps } from './keys.ts';
import type { NeededKey } from './keys.ts';
import { requireLevelBelow } from './noise.ts';
import { runProgram } from './program.ts';
import type { Program, Step } from './program.ts';

/** What a program computes with. */
export interface EvaluationInputs {
  /** One for each input: SEAL's Ciphertext object, and the id of its key in lower case. */
  readonly inputs: readonly { readonly keyId: Hex; readonly ciphertext: Uint8Array }[];
  /** The key of the result. */
  readonly resultKey: Hex;
  /** The entry of a key, asked for at each step that needs it, so that few have to be in memory. */
  readonly entryOf: (key: NeededKey) => Uint8Array;
}

/**
 * Computes a program with stock SEAL. The same bytes come out wherever it is computed.
 *
 * @returns SEAL's uncompressed Ciphertext object: canonical
 * @throws ComputationError TRANSPARENT with the step, LEVEL_EXHAUSTED; the codes of `keysNeeded`;
 * FheError the codes of `parseCiphertext` for an input; TRUNCATED, TRAILING_BYTES, SEAL_FAILED for an
 * entry; what `entryOf` throws
 */
export function evaluate(
  set: ParameterSet,
  program: Program,
  { inputs, resultKey, entryOf }: EvaluationInputs,
): Uint8Array {
  const keyIds = inputs.map(({ keyId }) => keyId);
  const keys = keysOfSteps(set, program, { inputs: keyIds, result: resultKey });
  return withArithmetic(set, (arithmetic) => {
    const loaded = inputs.map(({ ciphertext }) => arithmetic.load(ciphertext));
    const result = runProgram(program, loaded, (step, operands, at) => {
      const [left, right] = atOneLevel(arithmetic, operands);
      try {
        return applied(arithmetic, step, left, right, keys[at], entryOf);
      } catch (cause) {
        if (!isKeyloomError(cause, FheErrorCode.TRANSPARENT)) throw cause;
        throw new ComputationError(ComputationErrorCode.TRANSPARENT, 'a result hides nothing', {
          metadata: { step: at },
          cause,
        });
      }
    });
    return arithmetic.save(result);
  });
}

/** Brings what is at a higher level down to the lowest. */
function atOneLevel(arithmetic: Arithmetic, operands: readonly Operand[]): Operand[] {
  const limbs = Math.min(...operands.map((operand) => arithmetic.limbsOf(operand)));
  return operands.map((operand) => {
    let lowered = operand;
    while (arithmetic.limbsOf(lowered) > limbs) lowered = arithmetic.switchDown(lowered);
    return lowered;
  });
}

function applied(
  arithmetic: Arithmetic,
  step: Step,
  left: Operand,
  right: Operand,
  key: NeededKey | undefined,
  entryOf: EvaluationInputs['entryOf'],
): Operand {
  switch (step.operation) {
    case 'add':
      return arithmetic.add(left, right);
    case 'subtract':
      return arithmetic.subtract(left, right);
    case 'negate':
      return arithmetic.negate(left);
    case 'addScalar':
      return arithmetic.addScalar(left, step.scalar);
    case 'multiplyScalar':
      return arithmetic.multiplyScalar(left, step.scalar);
    case 'switchDown':
      requireLevelBelow(arithmetic.limbsOf(left));
      return arithmetic.switchDown(left);
    case 'multiply':
    case 'rotateRows':
    case 'swapRows':
    case 'switchKey':
      return keyed(arithmetic, key!, entryOf(key!), left, right);
  }
}

function keyed(
  arithmetic: Arithmetic,
  key: NeededKey,
  entry: Uint8Array,
  left: Operand,
  right: Operand,
): Operand {
  switch (key.kind) {
    case 'relinearization':
      return arithmetic.multiply(left, right, entry);
    case 'galois':
      return arithmetic.applyGalois(left, key.element, entry);
    case 'switching':
      return arithmetic.switchKey(left, entry);
  }
}
