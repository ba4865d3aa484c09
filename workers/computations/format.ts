import { bytesToHex, hexToBytes } from 'viem';
import { ComputationError, ComputationErrorCode } from './errors.ts';
import { MAX_INPUTS, MAX_STEPS, requireProgram } from './program.ts';
import type { Program, Step } from './program.ts';

// tag ‖ number of inputs ‖ handles ‖ number of steps ‖ steps. docs/computations.md, "Bytes".

const tag = new TextEncoder().encode('keyloom/program/1');
const handleLength = 32;

/** The number of an operation is its place here, from 1. */
const operations = [
  'add',
  'subtract',
  'multiply',
  'negate',
  'swapRows',
  'switchDown',
  'switchKey',
  'rotateRows',
  'addScalar',
  'multiplyScalar',
] as const satisfies readonly Step['operation'][];

/** Bytes of the longest step: operation, register, constant. */
const longestStep = 1 + 1 + 8;

/** No program has more bytes. */
export const MAX_PROGRAM_BYTES =
  tag.length + 1 + MAX_INPUTS * handleLength + 1 + MAX_STEPS * longestStep;

/**
 * The bytes of a program.
 *
 * @throws ComputationError the codes of `requireProgram`
 */
export function serializeProgram(program: Program): Uint8Array {
  const { inputs, steps } = requireProgram(program);
  const bytes = new Uint8Array(MAX_PROGRAM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(tag);
  let at = tag.length;
  bytes[at++] = inputs.length;
  for (const handle of inputs) {
    bytes.set(hexToBytes(handle), at);
    at += handleLength;
  }
  bytes[at++] = steps.length;
  for (const step of steps) {
    bytes[at++] = operations.indexOf(step.operation) + 1;
    if ('of' in step) {
      bytes[at++] = step.of;
    } else {
      bytes[at++] = step.left;
      bytes[at++] = step.right;
    }
    if ('steps' in step) {
      view.setInt32(at, step.steps, true);
      at += 4;
    }
    if ('scalar' in step) {
      view.setBigInt64(at, step.scalar, true);
      at += 8;
    }
  }
  return bytes.slice(0, at);
}

/**
 * Reads a program from bytes that anybody may have chosen: every input is the one form of a program,
 * or refused.
 *
 * @throws ComputationError TRUNCATED, TRAILING_BYTES, TAG_UNKNOWN, OPERATION_UNKNOWN; the codes of
 * `requireProgram`
 */
export function parseProgram(bytes: Uint8Array): Program {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  /** Where the next field starts. */
  const next = (length: number): number => {
    if (at + length > bytes.length) {
      throw rejection(ComputationErrorCode.TRUNCATED, { length: bytes.length });
    }
    at += length;
    return at - length;
  };
  const start = next(tag.length);
  if (tag.some((byte, i) => bytes[start + i] !== byte)) {
    throw rejection(ComputationErrorCode.TAG_UNKNOWN, {});
  }
  const inputs = Array.from({ length: count(bytes[next(1)], MAX_INPUTS, 'INPUTS_INVALID') }, () => {
    const handle = next(handleLength);
    return bytesToHex(bytes.subarray(handle, handle + handleLength));
  });
  const steps = Array.from({ length: count(bytes[next(1)], MAX_STEPS, 'STEPS_INVALID') }, () => {
    const number = bytes[next(1)];
    if (number < 1 || number > operations.length) {
      throw rejection(ComputationErrorCode.OPERATION_UNKNOWN, { operation: number });
    }
    return readStep(operations[number - 1], view, next);
  });
  if (at < bytes.length) {
    throw rejection(ComputationErrorCode.TRAILING_BYTES, { length: bytes.length, expected: at });
  }
  return requireProgram({ inputs, steps });
}

function readStep(
  operation: (typeof operations)[number],
  view: DataView,
  next: (length: number) => number,
): Step {
  const register = () => view.getUint8(next(1));
  switch (operation) {
    case 'add':
    case 'subtract':
    case 'multiply':
      return { operation, left: register(), right: register() };
    case 'negate':
    case 'swapRows':
    case 'switchDown':
    case 'switchKey':
      return { operation, of: register() };
    case 'rotateRows':
      return { operation, of: register(), steps: view.getInt32(next(4), true) };
    case 'addScalar':
    case 'multiplyScalar':
      return { operation, of: register(), scalar: view.getBigInt64(next(8), true) };
  }
}

function count(value: number, most: number, code: 'INPUTS_INVALID' | 'STEPS_INVALID'): number {
  if (value >= 1 && value <= most) return value;
  throw rejection(ComputationErrorCode[code], { count: value, most });
}

const rejection = (
  code: ComputationErrorCode,
  metadata: Record<string, number>,
): ComputationError => new ComputationError(code, 'the bytes are no program', { metadata });
