import type { Hex } from 'viem';

import { requestEvaluationKeys, waitForEvaluationKeys } from '../tasks/support/evaluation-keys.ts';
import type { Gateway } from '../tasks/support/gateway.ts';
import { keyFileOf } from '../tasks/support/key-files.ts';
import { ComputationErrorCode } from '../workers/computations/errors.ts';
import { compileExpression } from '../workers/computations/expression.ts';
import { noiseOfProgram } from '../workers/computations/noise.ts';
import type { Program } from '../workers/computations/program.ts';
import { isKeyloomError } from '../workers/errors.ts';
import { firstLimbs } from '../workers/fhe/ciphertext.ts';
import { FheErrorCode } from '../workers/fhe/errors.ts';
import { bitLength, noiseBitsAtFirstLevel } from '../workers/fhe/first-level.ts';
import { galoisElements } from '../workers/fhe/galois-elements.ts';
import { inputNoise } from '../workers/proofs/input-proof.ts';
import type { EvaluationKeyRequest } from '../workers/protocols/evaluation-keys.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';
import type { Committee } from '../workers/sharing/committee.ts';
import { sampleSlots, type Outcome, type RoundTrip } from './round-trip.ts';

const EVALUATION_KEYS_TIMEOUT_MS = 600_000;

export interface ComputingOptions {
  onProgress?: (text: string) => void;
}

/** Has a committee make evaluation keys and waits until they are recorded. @returns the request's id */
export async function makeEvaluationKeys(
  gateway: Gateway,
  wanted: EvaluationKeyRequest,
  options: ComputingOptions = {},
): Promise<Hex> {
  const { requestId } = await requestEvaluationKeys(gateway, wanted);
  await waitForEvaluationKeys(gateway, requestId, {
    timeoutMs: EVALUATION_KEYS_TIMEOUT_MS,
    onProgress: ({ text }) => options.onProgress?.(text),
  });
  return requestId;
}

/** What stock SEAL takes to multiply and rotate: RelinKeys and GaloisKeys objects. */
export interface ComputingKeys {
  relinearization: Uint8Array;
  galois: Uint8Array;
  /** Requests that they were made for. */
  requests: readonly Hex[];
}

/** Makes and downloads the keys to multiply, and to rotate rows by these steps (0 swaps the rows). */
export async function computingKeys(
  gateway: Gateway,
  set: ParameterSet,
  keyId: Hex,
  steps: 'default' | readonly number[],
  options: ComputingOptions = {},
): Promise<ComputingKeys> {
  const elements = galoisElements(set.degree, steps);
  const requests = [
    await makeEvaluationKeys(gateway, { kind: 'relinearization', keyId }, options),
    await makeEvaluationKeys(gateway, { kind: 'galois', keyId, elements }, options),
  ];
  const whole = async (content: Parameters<typeof keyFileOf>[2]): Promise<Uint8Array> => {
    const { length, parts } = await keyFileOf(gateway, keyId, content);
    const file = new Uint8Array(length);
    let at = 0;
    for await (const part of parts) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  };
  return {
    relinearization: await whole({ kind: 'relinearization' }),
    galois: await whole({ kind: 'galois', steps }),
    requests,
  };
}

/** What was computed, and whether it came out right. */
export interface Computed extends Outcome {
  operation: 'product' | 'sum';
}

/**
 * Has the operators multiply two encrypted vectors, or add them where a product has too much noise for the
 * committee in the worst case; rotate the rows by one to the left, and decrypt the result.
 */
export async function computeAndDecrypt(
  roundTrip: RoundTrip,
  committee: Committee,
  options: ComputingOptions = {},
): Promise<Computed> {
  const { set } = roundTrip;
  const [left, right] = [sampleSlots(set, 11n), sampleSlots(set, 12n)];
  const a = await roundTrip.register({ slots: left }, options);
  const b = await roundTrip.register({ slots: right }, options);
  const names = { a: a.handle, b: b.handle };
  const expressions = { product: 'rotate(a * b, 1)', sum: 'rotate(a + b, 1)' };
  const operation = isDecryptable(set, committee, compileExpression(expressions.product, names))
    ? 'product'
    : 'sum';
  options.onProgress?.(`having the ${operation} computed`);
  const computed = await roundTrip.compute(expressions[operation], names, options);
  const slots = left.map((value, at) => {
    const result = operation === 'product' ? value * right[at] : value + right[at];
    return result % set.plainModulus;
  });
  const values = { slots: rotatedRows(slots, 1) };
  return { operation, ...(await roundTrip.decrypt(computed, values, options)) };
}

/** Whether what a program computes from ciphertexts with lattice proofs has little enough noise. */
function isDecryptable(set: ParameterSet, committee: Committee, program: Program): boolean {
  const proven = { limbs: firstLimbs(set), noise: inputNoise('lattice', set, committee) };
  try {
    const inputs = program.inputs.map(() => proven);
    const { limbs, noise } = noiseOfProgram(set, committee, program, inputs);
    noiseBitsAtFirstLevel(set, committee, { limbs, noiseBits: bitLength(noise) });
    return true;
  } catch (error) {
    if (
      isKeyloomError(error, ComputationErrorCode.NOISE_NEVER_FITS) ||
      isKeyloomError(error, FheErrorCode.NOISE_TOO_LARGE)
    )
      return false;
    throw error;
  }
}

/** What slots are after a rotation of both rows to the left. */
export function rotatedRows(slots: readonly bigint[], steps: number): bigint[] {
  const row = slots.length / 2;
  return slots.map((_, at) => {
    const start = at < row ? 0 : row;
    return slots[start + ((at - start + steps + row) % row)];
  });
}
