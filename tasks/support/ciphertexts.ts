import { parseEventLogs, zeroAddress, zeroHash, type Address, type Hex } from 'viem';

import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { blobDigest, uploadBlob } from '../../sdk/index.ts';
import { parseCiphertext } from '../../workers/fhe/ciphertext.ts';
import { bitLength, noiseBitsAtFirstLevel } from '../../workers/fhe/first-level.ts';
import { freshNoiseBound } from '../../workers/fhe/noise.ts';
import { originOf, type Origin } from '../../workers/proofs/origins.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf, parametersOf } from './keys.ts';
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
  /** Why it may be decrypted. */
  origin: Origin;
  /** SHA-256 of its proof; undefined for one that is vouched for. */
  proofDigest: Hex | undefined;
  /** The ciphertext under another key that it was switched from; undefined if there is none. */
  source: Hex | undefined;
}

/** A ciphertext that was registered and handed to the operators. */
export interface Registered extends Ciphertext {
  bytes: Uint8Array;
  /** Endpoints of the operators that hold it. */
  acceptedBy: string[];
}

/**
 * Registers bytes that the account, a registrar, vouches for, and hands them to the operators.
 * @param options.noiseBits bits of the guaranteed noise bound at the level of the bytes; that of a fresh
 * ciphertext if absent
 * @param options.source handle of the ciphertext that it was switched from: its owner is the owner
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`, `NOT_AUTHORISED`; SdkError `BLOB_REFUSED`; FheError
 * `NOISE_TOO_LARGE`
 */
export async function registerCiphertext(
  gateway: Gateway,
  options: {
    keyId: Hex;
    bytes: Uint8Array;
    owner?: Address;
    noiseBits?: number;
    source?: Hex;
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
  const { source } = options;
  const owner =
    source === undefined
      ? (options.owner ?? walletOf(gateway).account.address)
      : (await ciphertextOf(gateway, source)).owner;
  options.onProgress?.('registering the digest on chain');
  const digest = blobDigest(bytes);
  const vouched = { origin: 'vouched', proofDigest: undefined } as const;
  const entry = { keyId, digest, owner, limbs, noiseBits, source, ...vouched };
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
  const origin = originOf(found.origin);
  if (found.owner === zeroAddress || origin === undefined) throw notRegistered(handle);
  const unlessZero = (word: Hex) => (word === zeroHash ? undefined : word);
  const [proofDigest, source] = [unlessZero(found.proofDigest), unlessZero(found.source)];
  return { handle, ...found, origin, proofDigest, source };
}

export function notRegistered(handle: Hex): ClientError {
  return new ClientError(
    ClientErrorCode.NOT_REGISTERED,
    `no ciphertext is registered as ${handle}`,
    { advice: '`kms encrypt` prints the handle of what it registers.', metadata: { handle } },
  );
}

async function register(gateway: Gateway, entry: Omit<Ciphertext, 'handle'>): Promise<Hex> {
  const { keyId, digest, limbs, noiseBits, owner, source } = entry;
  const address = gateway.addresses.ciphertextRegistry;
  const contract = { address, abi: ciphertextRegistryAbi } as const;
  const receipt =
    source === undefined
      ? await send(gateway, {
          ...contract,
          functionName: 'register',
          args: [keyId, digest, limbs, noiseBits, owner],
        })
      : await send(gateway, {
          ...contract,
          functionName: 'registerSwitched',
          args: [source, keyId, digest, limbs, noiseBits],
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
