import { stringToHex, type Address, type Hex } from 'viem';

import { CONFIRMATION_PATIENCE_MS, fetchBlob } from '../../sdk/index.ts';
import { keyManagerAbi } from '../../workers/chain/abi.ts';
import { keyId as keyIdFor } from '../../workers/chain/ids.ts';
import { ciphertextLength } from '../../workers/fhe/ciphertext.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { parameterSetId } from '../../workers/sharing/ids.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { parameterSetById } from './parameters.ts';
import { sendPaid } from './payments.ts';
import { hasPassed, waitForResult } from './results.ts';
import type { WaitOptions } from './waiting.ts';
import { walletOf, type Refusal } from './transactions.ts';

/** States by their number on chain. */
export const KEY_STATES = ['None', 'Pending', 'Active', 'Retired'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A key as the chain has it. */
export interface Key {
  keyId: Hex;
  state: KeyState;
  /** Unix seconds until which it can be recorded; once it is, until which operators can attest. */
  deadline: number;
  requester: Address;
  epochId: Hex;
  parameterSetId: Hex;
  /** SHA-256 of the public key; zeros while pending. */
  digest: Hex;
}

/** The id a request for a key has, before it is made (IKeyManager.requestKey). */
export function keyIdOf(
  gateway: Gateway,
  request: { epochId: Hex; set: ParameterSet; requester: Address; label: Hex },
): Hex {
  const { set, ...rest } = request;
  return keyIdFor(gateway, { ...rest, parameterSetId: parameterSetId(set) });
}

/** A label as bytes32: 64 hex digits as they are, other text in UTF-8. @throws ClientError `INVALID_ARGUMENT` */
export function labelOf(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text as Hex;
  if (Buffer.byteLength(text) > 32)
    throw new ClientError(ClientErrorCode.INVALID_ARGUMENT, 'a label has at most 32 bytes');
  return stringToHex(text, { size: 32 });
}

/**
 * Asks an epoch's committee for a key. A key that is already there, or already asked for, is not
 * asked for again: the id is a hash of the request.
 * @param request.onProgress told of a deposit for the fee
 * @returns the key's id, and whether a transaction was sent
 * @throws ClientError `KEY_NOT_ACTIVE` if it was retired, `PARAMETER_SET_REFUSED`, `EPOCH_NOT_ACTIVE`,
 * `NOT_AUTHORISED`, `FEE_UNAFFORDABLE`
 */
export async function requestKey(
  gateway: Gateway,
  request: {
    epochId: Hex;
    set: ParameterSet;
    label: Hex;
    onProgress?: (text: string) => void;
  },
): Promise<{ keyId: Hex; requested: boolean }> {
  const { epochId, set, label } = request;
  const requester = walletOf(gateway).account.address;
  const keyId = keyIdOf(gateway, { epochId, set, requester, label });
  const present = await readKey(gateway, keyId);
  if (present.state === 'Retired') throw notActive(present);
  if (present.state === 'Active') return { keyId, requested: false };
  if (present.state === 'Pending' && !(await hasPassed(gateway, present.deadline)))
    return { keyId, requested: false };
  await sendPaid(
    gateway,
    {
      address: gateway.addresses.keyManager,
      abi: keyManagerAbi,
      functionName: 'requestKey',
      args: [epochId, parameterSetId(set), label],
    },
    ({ errorName }) => refusalOf(errorName, set, epochId),
    request.onProgress,
  );
  return { keyId, requested: true };
}

/** A key as the chain has it. @throws ClientError `UNKNOWN_KEY` */
export async function keyOf(gateway: Gateway, keyId: Hex): Promise<Key> {
  const key = await readKey(gateway, keyId);
  if (key.state !== 'None') return key;
  throw new ClientError(ClientErrorCode.UNKNOWN_KEY, `there is no key ${keyId}`, {
    advice: '`kms status` lists the keys there are.',
    metadata: { keyId },
  });
}

/** A key that can encrypt and decrypt. @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE` */
export async function activeKeyOf(gateway: Gateway, keyId: Hex): Promise<Key> {
  const key = await keyOf(gateway, keyId);
  if (key.state === 'Active') return key;
  throw notActive(key);
}

/** All keys ever requested, oldest first. */
export async function listKeys(gateway: Gateway): Promise<(Key & { label: Hex })[]> {
  const events = await eventsOf(gateway, {
    address: gateway.addresses.keyManager,
    abi: keyManagerAbi,
    eventName: 'KeyRequested',
  });
  const labels = new Map(events.map(({ args }) => [args.keyId, args.label]));
  return Promise.all(
    [...labels].map(async ([keyId, label]) => ({ ...(await keyOf(gateway, keyId)), label })),
  );
}

/**
 * Waits until the committee has made a requested key.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, `UNKNOWN_KEY`,
 * `KEY_NOT_ACTIVE` if it was retired
 */
export async function waitForKey(gateway: Gateway, keyId: Hex, options: WaitOptions): Promise<Key> {
  return waitForResult(
    gateway,
    {
      id: keyId,
      epochId: (await keyOf(gateway, keyId)).epochId,
      what: `key ${keyId}`,
      advice: 'Ask for the same key again: it keeps its id.',
      done: 'the key is active',
      async read() {
        const key = await keyOf(gateway, keyId);
        if (key.state === 'Retired') throw notActive(key);
        return key.state === 'Active' ? { result: key } : key;
      },
    },
    options,
  );
}

/**
 * The public key from the committee's operators, checked against the digest on chain.
 * @returns SEAL's PublicKey object
 * @throws ClientError `UNKNOWN_KEY`, `KEY_NOT_ACTIVE`, `PARAMETER_SET_REFUSED`; SdkError
 * `BLOB_UNAVAILABLE`
 */
export async function downloadPublicKey(gateway: Gateway, keyId: Hex): Promise<Uint8Array> {
  const key = await activeKeyOf(gateway, keyId);
  const set = parametersOf(key);
  const members = await membersOf(gateway, await epochOf(gateway, key.epochId));
  return fetchBlob(
    members.map(({ endpoint }) => endpoint),
    key.digest,
    { maxBytes: ciphertextLength(set, set.primes.length), patienceMs: CONFIRMATION_PATIENCE_MS },
  );
}

/** The parameters of a key. @throws ClientError `PARAMETER_SET_REFUSED` if this client lacks them */
export function parametersOf(key: Key): ParameterSet {
  return parameterSetById(key.parameterSetId);
}

async function readKey(gateway: Gateway, keyId: Hex): Promise<Key> {
  const { state, deadline, ...rest } = await gateway.client.readContract({
    address: gateway.addresses.keyManager,
    abi: keyManagerAbi,
    functionName: 'key',
    args: [keyId],
  });
  return { keyId, state: KEY_STATES[state] ?? 'None', deadline: Number(deadline), ...rest };
}

function notActive(key: Key): ClientError {
  return new ClientError(
    ClientErrorCode.KEY_NOT_ACTIVE,
    `key ${key.keyId} is ${key.state.toLowerCase()}`,
    {
      advice:
        key.state === 'Pending'
          ? 'Wait for its committee: `kms status ID` shows how far it is.'
          : 'Use another key.',
      metadata: { keyId: key.keyId, state: key.state },
    },
  );
}

/** What any call on a key says if the key, or its epoch, is not active. */
export function keyRefusal({ errorName, args }: Refusal): ClientError | undefined {
  if (errorName !== 'KeyManagerKeyState' && errorName !== 'KeyManagerEpochInactive')
    return undefined;
  return new ClientError(
    ClientErrorCode.KEY_NOT_ACTIVE,
    `key ${String(args[0])} cannot be used: it or its epoch is not active`,
  );
}

function refusalOf(errorName: string, set: ParameterSet, epochId: Hex): ClientError | undefined {
  if (errorName === 'KeyManagerParameterSetUnknown')
    return new ClientError(
      ClientErrorCode.PARAMETER_SET_REFUSED,
      `parameter set ${set.name} is not on chain`,
      { advice: 'Governance adds it with `kms parameters add`.', metadata: { set: set.name } },
    );
  if (errorName === 'KeyManagerCommitteeUnsupported')
    return new ClientError(
      ClientErrorCode.PARAMETER_SET_REFUSED,
      `parameter set ${set.name} cannot be decrypted safely by a committee of this size`,
      { metadata: { set: set.name, epochId } },
    );
  if (errorName === 'EpochManagerEpochPhase')
    return new ClientError(ClientErrorCode.EPOCH_NOT_ACTIVE, `epoch ${epochId} is not active`, {
      advice: '`kms epoch list` shows which one is.',
      metadata: { epochId },
    });
  return undefined;
}
