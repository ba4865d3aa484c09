import type { Hex } from 'viem';

import { blobDigest, type ParameterSet, type ProofContext, type Values } from '../../sdk/index.ts';
import { serializeCiphertext } from '../../workers/fhe/ciphertext.ts';
import { encodeValues } from '../../workers/fhe/client.ts';
import { encryptWithWitness } from '../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../workers/proofs/key.ts';
import { crsKeyOf, openCrs, type Crs } from '../../workers/proofs/kzg/crs.ts';
import { proveKzg } from '../../workers/proofs/kzg/prove.ts';
import { finalContribution, listCeremonies } from './crs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf } from './keys.ts';

/** An encryption with a KZG proof. */
export interface KzgEncryption {
  readonly origin: 'kzg';
  readonly ciphertext: Uint8Array;
  readonly proof: Uint8Array;
}

/**
 * The powers of tau of a file, which are the result of a ceremony that a key's committee held.
 *
 * @param file a `.ptau` file, from `kms crs export`
 * @throws ClientError `CRS_UNUSABLE` if no ceremony with this result is recorded
 */
export async function crsIn(gateway: Gateway, keyId: Hex, file: Uint8Array): Promise<Crs> {
  const { epochId } = await activeKeyOf(gateway, keyId);
  const digest = blobDigest(file);
  const finished = (await listCeremonies(gateway)).filter(
    (ceremony) => ceremony.phase === 'Recorded' && ceremony.epochId === epochId,
  );
  for (const ceremony of finished) {
    const { state } = finalContribution(ceremony);
    if (state.digest === digest) return openCrs(file, crsKeyOf(state));
  }
  throw new ClientError(
    ClientErrorCode.CRS_UNUSABLE,
    'the file is the result of no ceremony that the key’s committee has recorded',
    {
      advice: '`kms crs status` lists ceremonies, `kms crs export` gets the file.',
      metadata: { digest },
    },
  );
}

/**
 * Encrypts and proves it with powers of tau: less noise is guaranteed than by a lattice proof, so more can be
 * computed. Takes seconds to minutes.
 *
 * @param options.onProgress told how much of the work is done
 * @throws FheError, ProofError as `encryptWithProof`; ProofError `CRS_TOO_SMALL`
 */
export async function encryptWithKzgProof(
  set: ParameterSet,
  publicKey: Uint8Array,
  values: Values,
  options: { context: ProofContext; crs: Crs; onProgress?: (text: string) => void },
): Promise<KzgEncryption> {
  const { context, crs, onProgress } = options;
  const key = await encryptionKey(set, publicKey);
  const encryption = encryptWithWitness(key, encodeValues(set, values));
  const ciphertext = serializeCiphertext(set, encryption.ciphertext);
  const statement = { key, registered: ciphertext, context };
  const proof = await proveKzg(statement, encryption.witness, crs, {
    onProgress: (done, steps) =>
      onProgress?.(`proving that it is an encryption: ${done} of ${steps}`),
  });
  return { origin: 'kzg', ciphertext, proof };
}
