import type { Address, Hex } from 'viem';

import {
  agreeOnRegistration,
  encryptWithProof,
  uploadBlob,
  type AgreedRegistration,
  type Registration,
  type Values,
} from '../../sdk/index.ts';
import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { firstLimbs } from '../../workers/fhe/ciphertext.ts';
import { bitLength, noiseBitsAtFirstLevel } from '../../workers/fhe/first-level.ts';
import { inputNoise } from '../../workers/proofs/input-proof.ts';
import type { Crs } from '../../workers/proofs/kzg/crs.ts';
import { ciphertextOf, type Ciphertext, type Registered } from './ciphertexts.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf, downloadPublicKey, parametersOf } from './keys.ts';
import { encryptWithKzgProof } from './kzg.ts';
import { send, walletOf } from './transactions.ts';

/** What was registered by proof, and who has it. */
export interface RegisteredByProof extends Ciphertext {
  /** Endpoints of the operators that hold it. */
  acceptedBy: string[];
}

/**
 * Encrypts under a key, proves it, and registers it. It takes no role: the operators check the proof.
 * @param options.owner who may decrypt it; the account itself if absent
 * @param options.publicKey the key's bytes if they are at hand; else they are downloaded
 * @param options.crs powers of tau for a KZG proof; if absent it is a lattice proof
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`; SdkError `BLOB_UNAVAILABLE`, and what
 * {@link registerByProof} throws; FheError for a value outside the plaintext space, `NOISE_TOO_LARGE` for a
 * parameter set of which nothing can be decrypted after a proof; ProofError
 */
export async function encryptAndRegister(
  gateway: Gateway,
  options: {
    keyId: Hex;
    values: Values;
    owner?: Address;
    publicKey?: Uint8Array;
    crs?: Crs;
    onProgress?: (text: string) => void;
  },
): Promise<Registered> {
  const { keyId, values, crs, onProgress } = options;
  const owner = options.owner ?? walletOf(gateway).account.address;
  const key = await activeKeyOf(gateway, keyId);
  const set = parametersOf(key);
  const { committee } = await epochOf(gateway, key.epochId);
  // Before anybody works for it.
  noiseBitsAtFirstLevel(set, committee, {
    limbs: firstLimbs(set),
    noiseBits: bitLength(inputNoise(crs === undefined ? 'lattice' : 'kzg', set, committee)),
  });
  const publicKey = options.publicKey ?? (await downloadPublicKey(gateway, keyId));
  onProgress?.('encrypting, and proving that it is an encryption');
  const context = { ...contextOf(gateway), user: owner };
  const proven =
    crs === undefined
      ? await encryptWithProof(set, publicKey, values, context)
      : await encryptWithKzgProof(set, publicKey, values, {
          ...{ context, crs },
          ...(onProgress && { onProgress }),
        });
  const registration = { keyId, owner, ...proven };
  const registered = await registerByProof(gateway, registration, onProgress);
  return { ...registered, bytes: proven.ciphertext };
}

/** What proofs for a deployment are bound to, beside the owner. */
export function contextOf({ chainId, addresses }: Gateway): { chainId: bigint; contract: Address } {
  return { chainId, contract: addresses.ciphertextRegistry };
}

/**
 * Has a key's committee verify a proof or program, records what 2t+1 of them signed in one transaction,
 * and sees to it that t+1 of them keep the bytes. What is registered already is not registered again.
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`; SdkError `REGISTRATION_REFUSED`, `BLOB_REFUSED`
 */
export async function registerByProof(
  gateway: Gateway,
  registration: Registration,
  onProgress?: (text: string) => void,
): Promise<RegisteredByProof> {
  const key = await activeKeyOf(gateway, registration.keyId);
  const { epochId, committee, ...epoch } = await epochOf(gateway, key.epochId);
  const members = await membersOf(gateway, epoch);
  onProgress?.('having the operators verify it');
  const agreed = await agreeOnRegistration(
    gateway,
    { epochId, members, needed: committee.quorum },
    registration,
  );
  onProgress?.('registering it on chain');
  await record(gateway, agreed);
  onProgress?.('handing it to the operators that have not got it');
  const endpoints = members.map(({ endpoint }) => endpoint);
  const { ciphertext, proof } = registration;
  const holders = await Promise.all(
    [ciphertext, proof]
      // What is computed is at those who have computed it.
      .filter((bytes) => bytes.length > 0)
      .map((bytes) => uploadBlob(endpoints, bytes, { needed: committee.t + 1 })),
  );
  const acceptedBy = endpoints.filter((endpoint) => holders.every((all) => all.includes(endpoint)));
  return { ...(await ciphertextOf(gateway, agreed.handle)), acceptedBy };
}

async function record(gateway: Gateway, agreed: AgreedRegistration): Promise<void> {
  const { handle, proven, signerBitmap, signatures } = agreed;
  const isThere = (): Promise<boolean> =>
    ciphertextOf(gateway, handle).then(
      () => true,
      (error: unknown) => {
        if (isKeyloomError(error, ClientErrorCode.NOT_REGISTERED)) return false;
        throw error;
      },
    );
  if (await isThere()) return;
  try {
    await send(gateway, {
      address: gateway.addresses.ciphertextRegistry,
      abi: ciphertextRegistryAbi,
      functionName: 'registerProven',
      args: [proven, signerBitmap, signatures],
    });
  } catch (error) {
    // Whoever was faster has registered the same: the handle says whose it is.
    if (!(await isThere())) throw error;
  }
}
