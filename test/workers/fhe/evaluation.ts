import type { Ciphertext, Evaluator, GaloisKeys, RelinKeys } from 'node-seal';
import { sealContext } from '../../../workers/fhe/context.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import type { Own } from '../../../workers/fhe/seal.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { loadCiphertext } from './support.ts';

// Computing with stock SEAL, as any user of the keys does.

/** Files of evaluation keys: SEAL's RelinKeys and GaloisKeys objects. */
export interface KeyFiles {
  readonly relinearization?: Uint8Array;
  readonly galois?: Uint8Array;
}

/** All of a stream in one array. */
export async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** SEAL's own keys for a secret key: relinearization, and Galois keys of steps, or the default ones. */
export function sealEvaluationKeys(
  set: ParameterSet,
  secretKey: Uint8Array,
  steps?: readonly number[],
): Required<KeyFiles> {
  return withSeal((own) => {
    const context = sealContext(set).handle;
    const key = own(new seal.SecretKey());
    key.loadFromArray(context, secretKey);
    const generator = own(new seal.KeyGenerator(context, key));
    const galois =
      steps === undefined
        ? generator.createGaloisKeys()
        : generator.createGaloisKeysWithSteps(Int32Array.from(steps));
    return {
      relinearization: savedBytes(own(generator.createRelinKeys())),
      galois: savedBytes(own(galois)),
    };
  });
}

/** What a program computes with. */
export interface Tools {
  readonly evaluator: Evaluator;
  readonly relinearization: RelinKeys;
  readonly galois: GaloisKeys;
  readonly load: (ciphertext: Uint8Array) => Ciphertext;
}

/** Runs a program that returns ciphertexts of its own, with SEAL's Evaluator. */
export function compute<Names extends string>(
  set: ParameterSet,
  files: KeyFiles,
  program: (tools: Tools, own: Own) => Record<Names, Ciphertext>,
): Record<Names, Uint8Array> {
  return withSeal((own) => {
    const context = sealContext(set).handle;
    const relinearization = own(new seal.RelinKeys());
    if (files.relinearization) relinearization.loadFromArray(context, files.relinearization);
    const galois = own(new seal.GaloisKeys());
    if (files.galois) galois.loadFromArray(context, files.galois);
    const evaluator = own(new seal.Evaluator(context));
    const load = (bytes: Uint8Array): Ciphertext => loadCiphertext(set, bytes, own);
    const results = program({ evaluator, relinearization, galois, load }, own);
    const saved = Object.entries<Ciphertext>(results).map(([name, ciphertext]) => [
      name,
      savedBytes(ciphertext),
    ]);
    return Object.fromEntries(saved) as Record<Names, Uint8Array>;
  });
}
