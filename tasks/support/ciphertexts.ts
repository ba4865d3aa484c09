import { parseEventLogs, zeroAddress, zeroHash, type Address, type Hex } from 'viem';

import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { blobDigest, encrypt, uploadBlob, type Values } from '../../sdk/index.ts';
import { parseCiphertext } from '../../workers/fhe/ciphertext.ts';
import { freshNoiseBound } from '../../workers/fhe/noise.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf, downloadPublicKey, parametersOf } from './keys.ts';
import { noiseBitsAtFirstLevel } from './noise.ts';
import { send, walletOf } from './transactions.ts';

/** A ciphertext as the chain has it. */
export interface Ciphertext {
  handle: Hex;
  keyId: Hex;
  digest: Hex;
  owner: Address;
  limbs: number;
  /** Bits of the bound at the first level, whatever the ciphertext's own is. */
  noiseBits: number;
  /** The ciphertext under another key that it was switched from; undefined if there is none. */
  origin: Hex | undefined;
}

/** A ciphertext that was registered and handed to the operators. */
export interface Registered extends Ciphertext {
  bytes: Uint8Array;
  /** Endpoints of the operators that hold it. */
  acceptedBy: string[];
}

/**
 * Encrypts with stock SEAL under a key, registers the ciphertext with the noise bound of a fresh one
 * and hands it to the operators. The gateway's account must be a registrar.
 * @param options.owner who may decrypt it; the account itself if absent
 * @param options.publicKey the key's bytes if they are at hand; else they are downloaded
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`, `NOT_AUTHORISED`; SdkError
 * `BLOB_UNAVAILABLE`, `BLOB_REFUSED`; FheError for a value outside the plaintext space
 */
export async function encryptAndRegister(
  gateway: Gateway,
  options: {
    keyId: Hex;
    values: Values;
    owner?: Address;
    publicKey?: Uint8Array;
    onProgress?: (text: string) => void;
  },
): Promise<Registered> {
  const key = await activeKeyOf(gateway, options.keyId);
  const publicKey = options.publicKey ?? (await downloadPublicKey(gateway, key.keyId));
  options.onProgress?.('encrypting with SEAL');
  const bytes = encrypt(parametersOf(key), publicKey, options.values);
  return registerCiphertext(gateway, { ...options, bytes });
}

/**
 * The registration and upload of {@link encryptAndRegister}, for bytes that are at hand.
 * @param options.noiseBits bits of the guaranteed noise bound at the level of the bytes; that of a fresh
 * ciphertext if absent
 * @param options.origin handle of the ciphertext that it was switched from: its owner is the owner
 * @throws ClientError `NOISE_TOO_LARGE`, and what {@link encryptAndRegister} throws
 */
export async function registerCiphertext(
  gateway: Gateway,
  options: {
    keyId: Hex;
    bytes: Uint8Array;
    owner?: Address;
    noiseBits?: number;
    origin?: Hex;
    onProgress?: (text: string) => void;
  },
): Promise<Registered> {
  const { keyId, bytes } = options;
  const key = await activeKeyOf(gateway, keyId);
  const epoch = await epochOf(gateway, key.epochId);
  const set = parametersOf(key);
  const { limbs } = parseCiphertext(set, bytes);
  const noiseBits =
    options.noiseBits === undefined
      ? bitLength(freshNoiseBound(set, epoch.committee))
      : noiseBitsAtFirstLevel(set, epoch.committee, { limbs, noiseBits: options.noiseBits });
  const { origin } = options;
  const owner =
    origin === undefined
      ? (options.owner ?? walletOf(gateway).account.address)
      : (await ciphertextOf(gateway, origin)).owner;
  options.onProgress?.('registering the digest on chain');
  const digest = blobDigest(bytes);
  const entry = { keyId, digest, owner, limbs, noiseBits, origin };
  const handle = await register(gateway, entry);
  options.onProgress?.('handing the ciphertext to the operators');
  const members = await membersOf(gateway, epoch);
  const acceptedBy = await uploadBlob(
    members.map(({ endpoint }) => endpoint),
    bytes,
    { needed: epoch.committee.t + 1 },
  );
  return { handle, ...entry, bytes, acceptedBy };
}

/** A registered ciphertext. @throws ClientError `NOT_REGISTERED` */
export async function ciphertextOf(gateway: Gateway, handle: Hex): Promise<Ciphertext> {
  const found = await gateway.client.readContract({
    address: gateway.addresses.ciphertextRegistry,
    abi: ciphertextRegistryAbi,
    functionName: 'ciphertext',
    args: [handle],
  });
  const origin = found.origin === zeroHash ? undefined : found.origin;
  if (found.owner !== zeroAddress) return { handle, ...found, origin };
  throw notRegistered(handle);
}

export function notRegistered(handle: Hex): ClientError {
  return new ClientError(
    ClientErrorCode.NOT_REGISTERED,
    `no ciphertext is registered as ${handle}`,
    { advice: '`kms encrypt` prints the handle of what it registers.', metadata: { handle } },
  );
}

async function register(gateway: Gateway, entry: Omit<Ciphertext, 'handle'>): Promise<Hex> {
  const { keyId, digest, limbs, noiseBits, owner, origin } = entry;
  const address = gateway.addresses.ciphertextRegistry;
  const contract = { address, abi: ciphertextRegistryAbi } as const;
  const receipt =
    origin === undefined
      ? await send(gateway, {
          ...contract,
          functionName: 'register',
          args: [keyId, digest, limbs, noiseBits, owner],
        })
      : await send(gateway, {
          ...contract,
          functionName: 'registerSwitched',
          args: [origin, keyId, digest, limbs, noiseBits],
        });
  const [registered] = parseEventLogs({
    abi: ciphertextRegistryAbi,
    eventName: 'CiphertextRegistered',
    logs: receipt.logs.filter((log) => log.address.toLowerCase() === address.toLowerCase()),
  });
  if (registered === undefined)
    throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the registration left no event');
  return registered.args.handle;
}

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);
