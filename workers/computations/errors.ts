import { KeyloomError } from '../errors.ts';

/** Why bytes or an expression are no program, or a program gives no ciphertext. */
export const ComputationErrorCode = {
  /** Fewer bytes than the counts and steps call for. */
  TRUNCATED: 'PROGRAM_TRUNCATED',
  /** Bytes after the last step. */
  TRAILING_BYTES: 'PROGRAM_TRAILING_BYTES',
  /** The bytes do not begin as a program of this version does. */
  TAG_UNKNOWN: 'PROGRAM_TAG_UNKNOWN',
  /** Not 1 to 16 inputs, or a handle that has not 32 bytes. */
  INPUTS_INVALID: 'PROGRAM_INPUTS_INVALID',
  /** Handles are not strictly ascending. */
  INPUTS_UNORDERED: 'PROGRAM_INPUTS_UNORDERED',
  /** Not 1 to 32 steps. */
  STEPS_INVALID: 'PROGRAM_STEPS_INVALID',
  /** A step's number is that of no operation. */
  OPERATION_UNKNOWN: 'PROGRAM_OPERATION_UNKNOWN',
  /** A step names a register that no earlier step writes. */
  REGISTER_INVALID: 'PROGRAM_REGISTER_INVALID',
  /** An input, or the result of a step but the last, that no later step reads. */
  REGISTER_UNUSED: 'PROGRAM_REGISTER_UNUSED',
  /** A step computes what an earlier one has computed. */
  STEP_REPEATED: 'PROGRAM_STEP_REPEATED',
  /** A rotation by 0, or by half the ring degree or more. */
  ROTATION_INVALID: 'PROGRAM_ROTATION_INVALID',
  /** A constant that is 0, has more than 64 bits, or is not between -t and t. */
  SCALAR_INVALID: 'PROGRAM_SCALAR_INVALID',

  /** Slots are moved in a parameter set whose plaintexts have none. */
  SLOTS_UNSUPPORTED: 'PROGRAM_SLOTS_UNSUPPORTED',
  /** Not one ciphertext, noise bound or key for each input. */
  INPUTS_MISMATCH: 'PROGRAM_INPUTS_MISMATCH',
  /** Two keys in one step, a switch from the result's key to itself, or a result under another key. */
  KEYS_MISMATCH: 'PROGRAM_KEYS_MISMATCH',
  /** A switch to a lower level where there is none. */
  LEVEL_EXHAUSTED: 'PROGRAM_LEVEL_EXHAUSTED',
  /** A step's result hides nothing: its second polynomial is zero. The metadata has the step. */
  TRANSPARENT: 'PROGRAM_TRANSPARENT',
  /** A register may have too much noise to be decrypted by anybody. The metadata has the numbers. */
  NOISE_NEVER_FITS: 'PROGRAM_NOISE_NEVER_FITS',

  /** Expressions: the metadata has the column, from 1. Something else is expected there. */
  EXPRESSION_UNEXPECTED: 'EXPRESSION_UNEXPECTED',
  /** A name that stands for nothing. */
  EXPRESSION_NAME_UNKNOWN: 'EXPRESSION_NAME_UNKNOWN',
  /** A name is given a second meaning. */
  EXPRESSION_NAME_TAKEN: 'EXPRESSION_NAME_TAKEN',
  /** A name is given a meaning and never used. */
  EXPRESSION_NAME_UNUSED: 'EXPRESSION_NAME_UNUSED',
  /** A number where a ciphertext must be, or the other way round. */
  EXPRESSION_KIND_MISMATCH: 'EXPRESSION_KIND_MISMATCH',
  /** Too long, or too deep in parentheses. */
  EXPRESSION_TOO_LARGE: 'EXPRESSION_TOO_LARGE',
} as const;

export type ComputationErrorCode = (typeof ComputationErrorCode)[keyof typeof ComputationErrorCode];

export class ComputationError extends KeyloomError<ComputationErrorCode> {}
