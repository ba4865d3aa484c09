import { encodeValues, type Values } from '../workers/fhe/client.ts';
import { encryptForProof } from '../workers/proofs/encryption.ts';
import { encryptionKey } from '../workers/proofs/key.ts';
import { prove } from '../workers/proofs/lattice/prove.ts';
import { verify } from '../workers/proofs/lattice/verify.ts';
import type { ProofContext } from '../workers/proofs/context.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';

/** An encryption, and the proof that it is one: what anybody may register (docs/input-proofs.md). */
export interface ProvenEncryption {
  readonly origin: 'lattice';
  /** SEAL's uncompressed Ciphertext object at the first level. */
  readonly ciphertext: Uint8Array;
  readonly proof: Uint8Array;
}

/**
 * Encrypts and proves it. What was random is forgotten: who knows it reads the ciphertext.
 *
 * In a browser the kernels have to be provided first (`provideKernels`).
 *
 * @param publicKey SEAL's uncompressed PublicKey object
 * @param context the registry, its chain, and the account that is to own the ciphertext: the proof holds
 * for no other
 * @throws FheError `VALUES_INVALID`, `BATCHING_UNSUPPORTED`, the format codes of the key; ProofError
 * `PLAIN_MODULUS_EVEN`, `PLAIN_MODULUS_TOO_LARGE`, `CONTEXT_INVALID`
 */
export async function encryptWithProof(
  set: ParameterSet,
  publicKey: Uint8Array,
  values: Values,
  context: ProofContext,
): Promise<ProvenEncryption> {
  const key = await encryptionKey(set, publicKey);
  const { registered, witness } = encryptForProof(key, encodeValues(set, values));
  const proof = await prove({ key, registered, context }, witness);
  return { origin: 'lattice', ciphertext: registered, proof };
}

/**
 * Checks what `encryptWithProof` made, as operators do. Resolves if the proof holds, and only then.
 *
 * @throws ProofError, FheError with the reason
 */
export async function verifyEncryption(
  set: ParameterSet,
  publicKey: Uint8Array,
  { ciphertext, proof }: ProvenEncryption,
  context: ProofContext,
): Promise<void> {
  const key = await encryptionKey(set, publicKey);
  await verify({ key, registered: ciphertext, context }, proof);
}
