import type { Hex } from 'viem';

import { requestEvaluationKeys, waitForEvaluationKeys } from '../tasks/support/evaluation-keys.ts';
import type { Gateway } from '../tasks/support/gateway.ts';
import { keyFileOf } from '../tasks/support/key-files.ts';
import { galoisElements } from '../workers/fhe/galois-elements.ts';
import { firstLimbs } from '../workers/fhe/ciphertext.ts';
import { freshNoiseBound, keySwitchingNoise, noiseOfSum } from '../workers/fhe/noise-growth.ts';
import { multiplicationsPossible, noiseOfRelinearizedSquare } from '../workers/fhe/noise.ts';
import type { EvaluationKeyRequest } from '../workers/protocols/evaluation-keys.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';
import type { Committee } from '../workers/sharing/committee.ts';
import { compute } from '../test/workers/fhe/evaluation.ts';
import { encrypt } from '../sdk/index.ts';
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
 * Multiplies two encrypted vectors with stock SEAL, or adds them where a product has too much noise for
 * the committee in the worst case; rotates the rows by one to the left, and has the result decrypted.
 */
export async function computeAndDecrypt(
  roundTrip: RoundTrip,
  committee: Committee,
  keys: ComputingKeys,
  options: ComputingOptions = {},
): Promise<Computed> {
  const { set, publicKey } = roundTrip;
  const operation = multiplicationsPossible(set, committee) > 0 ? 'product' : 'sum';
  const [left, right] = [sampleSlots(set, 11n), sampleSlots(set, 12n)];
  options.onProgress?.(`computing the ${operation} with SEAL`);
  const { computed } = compute(set, keys, ({ evaluator, relinearization, galois, load }) => {
    const ciphertext = load(encrypt(set, publicKey, { slots: left }));
    const other = load(encrypt(set, publicKey, { slots: right }));
    if (operation === 'product') {
      evaluator.multiplyInplace(ciphertext, other);
      evaluator.relinearizeInplace(ciphertext, relinearization);
    } else {
      evaluator.addInplace(ciphertext, other);
    }
    evaluator.rotateRowsInplace(ciphertext, 1, galois);
    return { computed: ciphertext };
  });
  const slots = left.map((value, at) => {
    const result = operation === 'product' ? value * right[at] : value + right[at];
    return result % set.plainModulus;
  });
  const values = { slots: rotatedRows(slots, 1) };
  const noiseBits =
    operation === 'product' ? productNoiseBits(set, committee, 1) : sumNoiseBits(set, committee, 1);
  const registered = await roundTrip.registerBytes(computed, noiseBits, options);
  return { operation, ...(await roundTrip.decrypt(registered, values, options)) };
}

/** What slots are after a rotation of both rows to the left. */
export function rotatedRows(slots: readonly bigint[], steps: number): bigint[] {
  const row = slots.length / 2;
  return slots.map((_, at) => {
    const start = at < row ? 0 : row;
    return slots[start + ((at - start + steps + row) % row)];
  });
}

/** Guaranteed noise, in bits, of a product of two fresh ciphertexts that is relinearized and rotated. */
export function productNoiseBits(
  set: ParameterSet,
  committee: Committee,
  rotations: number,
): number {
  const fresh = freshNoiseBound(set, committee);
  return rotatedBits(set, committee, noiseOfRelinearizedSquare(set, committee, fresh), rotations);
}

/** The same of a sum. */
export function sumNoiseBits(set: ParameterSet, committee: Committee, rotations: number): number {
  const fresh = freshNoiseBound(set, committee);
  return rotatedBits(set, committee, noiseOfSum(fresh, fresh), rotations);
}

function rotatedBits(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
  rotations: number,
): number {
  const rotation = keySwitchingNoise(set, committee, firstLimbs(set), 'galois');
  return noiseOfSum(noise, BigInt(rotations) * rotation).toString(2).length;
}
