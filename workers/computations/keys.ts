import type { Hex } from 'viem';
import { galoisElements } from '../fhe/galois-elements.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { ComputationError, ComputationErrorCode } from './errors.ts';
import { requireInSet, runProgram } from './program.ts';
import type { Program, Step } from './program.ts';

/** One entry of evaluation keys, as it is recorded on chain. */
export type NeededKey =
  | { readonly kind: 'relinearization'; readonly keyId: Hex }
  | { readonly kind: 'galois'; readonly keyId: Hex; readonly element: number }
  /** From `keyId` to `targetKeyId`. */
  | { readonly kind: 'switching'; readonly keyId: Hex; readonly targetKeyId: Hex };

/** Under which keys a program's ciphertexts are; ids in lower case. */
export interface ProgramKeys {
  /** One for each input. */
  readonly inputs: readonly Hex[];
  /** That of the result, to which `switchKey` switches. */
  readonly result: Hex;
}

/**
 * The evaluation keys that a program needs, each once, in the order in which it needs them.
 *
 * @throws ComputationError KEYS_MISMATCH, INPUTS_MISMATCH; the codes of `requireInSet`
 */
export function keysNeeded(set: ParameterSet, program: Program, keys: ProgramKeys): NeededKey[] {
  const needed = keysOfSteps(set, program, keys).filter((key) => key !== undefined);
  return [...new Map(needed.map((key) => [JSON.stringify(key), key])).values()];
}

/**
 * The evaluation key of each step, where it needs one.
 *
 * @throws ComputationError as `keysNeeded`
 */
export function keysOfSteps(
  set: ParameterSet,
  program: Program,
  keys: ProgramKeys,
): (NeededKey | undefined)[] {
  requireInSet(set, program);
  const needed: (NeededKey | undefined)[] = [];
  const under = runProgram(program, keys.inputs, (step, [keyId, other], at) => {
    const switches = step.operation === 'switchKey';
    if ((other !== undefined && other !== keyId) || (switches && keyId === keys.result)) {
      throw mismatch({ step: at, keyId, other: other ?? keys.result });
    }
    needed.push(keyOfStep(set, step, keyId, keys.result));
    return switches ? keys.result : keyId;
  });
  if (under !== keys.result) throw mismatch({ keyId: under, other: keys.result });
  return needed;
}

function keyOfStep(
  set: ParameterSet,
  step: Step,
  keyId: Hex,
  targetKeyId: Hex,
): NeededKey | undefined {
  switch (step.operation) {
    case 'multiply':
      return { kind: 'relinearization', keyId };
    case 'rotateRows':
      return { kind: 'galois', keyId, element: galoisElements(set.degree, [step.steps])[0] };
    case 'swapRows':
      return { kind: 'galois', keyId, element: galoisElements(set.degree, [0])[0] };
    case 'switchKey':
      return { kind: 'switching', keyId, targetKeyId };
    case 'add':
    case 'subtract':
    case 'negate':
    case 'addScalar':
    case 'multiplyScalar':
    case 'switchDown':
      return undefined;
  }
}

const mismatch = (metadata: { step?: number; keyId: Hex; other: Hex }): ComputationError =>
  new ComputationError(
    ComputationErrorCode.KEYS_MISMATCH,
    'a step computes under one key, and the result is under the one it is registered for',
    { metadata },
  );
