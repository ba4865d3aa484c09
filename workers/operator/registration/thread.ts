import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Hex } from 'viem';

import { evaluate } from '../../computations/evaluate.ts';
import { parseProgram } from '../../computations/format.ts';
import type { NeededKey } from '../../computations/keys.ts';
import { noiseOfProgram } from '../../computations/noise.ts';
import { isKeyloomError } from '../../errors.ts';
import { ciphertextLength, firstLimbs } from '../../fhe/ciphertext.ts';
import { FheErrorCode } from '../../fhe/errors.ts';
import { bitLength, noiseBitsAtFirstLevel } from '../../fhe/first-level.ts';
import { inputNoise, verifyInputProof } from '../../proofs/input-proof.ts';
import { encryptionKey, type EncryptionKey } from '../../proofs/key.ts';
import { parameterSet } from '../../ring/parameters.ts';
import { committeeOf } from '../../sharing/committee.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type {
  ComputationTask,
  EncryptionTask,
  ThreadMessage,
  Verified,
  VerifierTask,
} from './verifier.ts';

// The verifying thread (./verifier.ts): says of each task that it gets what it comes to.

/** Of the key of the latest task: most tasks have the same. */
let latest: { readonly bytes: Uint8Array; readonly key: EncryptionKey } | undefined;

async function keyOf({ set, publicKey }: EncryptionTask): Promise<EncryptionKey> {
  if (latest === undefined || Buffer.compare(latest.bytes, publicKey) !== 0) {
    latest = { bytes: publicKey, key: await encryptionKey(parameterSet(set), publicKey) };
  }
  return latest.key;
}

async function verified(task: EncryptionTask): Promise<Verified> {
  const set = parameterSet(task.set);
  const { chainId, contract, owner, proof } = task;
  const context = { chainId, contract, user: owner };
  const statement = { key: await keyOf(task), registered: task.ciphertext, context };
  await verifyInputProof(statement, proof);
  const noise = inputNoise(proof.kind, set, committeeOf(task.n));
  return { limbs: firstLimbs(set), noise, ciphertext: task.ciphertext };
}

/** The noise comes first: it costs nothing, and what would have too much is not computed. */
function computed(task: ComputationTask): Verified {
  const set = parameterSet(task.set);
  const committee = committeeOf(task.n);
  const program = parseProgram(task.program);
  const { limbs, noise } = noiseOfProgram(set, committee, program, task.inputs);
  noiseBitsAtFirstLevel(set, committee, { limbs, noiseBits: bitLength(noise) });
  const entries = new Map(task.entries.map((entry) => [JSON.stringify(entry.key), entry]));
  const { resultKey } = task;
  const inputs = task.inputs.map(({ keyId, limbs: level, ...file }) => {
    const bytes = contentOf(file);
    // Whoever vouched for it may have said anything.
    if (bytes.length !== ciphertextLength(set, level))
      throw new OperatorError(
        OperatorErrorCode.PROOF_REFUSED,
        'an input is not at the level that it is registered for',
        { metadata: { limbs: level } },
      );
    return { keyId, ciphertext: bytes };
  });
  const entryOf = (key: NeededKey): Uint8Array => contentOf(entries.get(JSON.stringify(key))!);
  const ciphertext = evaluate(set, program, { inputs, resultKey, entryOf });
  if (ciphertext.length !== ciphertextLength(set, limbs)) throw failed('a level is miscounted');
  return { limbs, noise, ciphertext };
}

function contentOf({ path, digest }: { readonly path: string; readonly digest: Hex }): Uint8Array {
  let bytes: Uint8Array;
  try {
    // SEAL’s binding takes no Buffer.
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw failed('a file cannot be read', cause);
  }
  if (`0x${hash('sha256', bytes, 'hex')}` !== digest) throw failed('a file is damaged');
  return bytes;
}

const failed = (why: string, cause?: unknown): OperatorError =>
  new OperatorError(OperatorErrorCode.COMPUTATION_FAILED, why, { cause });

/** What this machine is to blame for says nothing of the task: SEAL refuses none that was checked before. */
const ours: readonly string[] = [OperatorErrorCode.COMPUTATION_FAILED, FheErrorCode.SEAL_FAILED];

async function answer(task: VerifierTask): Promise<ThreadMessage> {
  try {
    const found = task.kind === 'computed' ? computed(task) : await verified(task);
    return { kind: 'verified', ...found };
  } catch (error) {
    if (isKeyloomError(error) && !ours.includes(error.code)) {
      const { code, message, metadata } = error;
      return { kind: 'refused', code, message, metadata };
    }
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (task: VerifierTask) => {
  void answer(task).then((message) => parentPort?.postMessage(message));
});
