import { sliceHex, zeroHash, type Address, type Hex } from 'viem';

import { evaluationKeyManagerAbi } from '../../workers/chain/abi.ts';
import { evaluationKeysRequestId } from '../../workers/chain/ids.ts';
import { evaluationKeyKindOf } from '../../workers/chain/state.ts';
import type { EvaluationKeyRequest } from '../../workers/protocols/evaluation-keys.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { activeKeyOf, keyRefusal, type Key } from './keys.ts';
import { sendPaid } from './payments.ts';
import { hasPassed, waitForResult } from './results.ts';
import { send, walletOf, type Refusal } from './transactions.ts';
import type { WaitOptions } from './waiting.ts';

/** States by their number on chain. */
export const EVALUATION_KEY_STATES = ['None', 'Pending', 'Recorded', 'Expired'] as const;
export type EvaluationKeyState = (typeof EVALUATION_KEY_STATES)[number];

/** A request for evaluation keys as the chain has it. */
export interface EvaluationKeys {
  requestId: Hex;
  kind: EvaluationKeyRequest['kind'];
  state: EvaluationKeyState;
  /** Unix seconds until which it can be recorded; once it is, until which operators can attest. */
  deadline: number;
  epochId: Hex;
  /** The key they belong to; of a switching key the one that ciphertexts come from. */
  keyId: Hex;
  /** The key that a switching key leads to. */
  targetKeyId: Hex | undefined;
  /** Galois elements, ascending; none for other kinds. */
  elements: readonly number[];
  requester: Address;
}

/** One recorded entry: a blob that operators serve. */
export interface RecordedEntry {
  /** Galois element; 0 for other kinds. */
  element: number;
  /** SHA-256 of the entry. */
  digest: Hex;
}

/** Recorded evaluation keys, and what was recorded. */
export type RecordedKeys = EvaluationKeys & { entries: RecordedEntry[] };

/**
 * Asks for evaluation keys. What is there already, or asked for already, is not asked for again.
 * @param onProgress told of a deposit for the fee
 * @returns the request's id, and whether a transaction was sent
 * @throws ClientError `NOT_AUTHORISED`, `KEY_NOT_ACTIVE`, `SWITCHING_REFUSED`, `EVALUATION_KEYS_SPENT`,
 * `EVALUATION_KEYS_PENDING`, `FEE_UNAFFORDABLE`, `REVERTED`
 */
export async function requestEvaluationKeys(
  gateway: Gateway,
  wanted: EvaluationKeyRequest,
  onProgress?: (text: string) => void,
): Promise<{ requestId: Hex; requested: boolean }> {
  const key = await activeKeyOf(gateway, wanted.keyId);
  if (wanted.kind === 'switching')
    requireSwitchable(key, await activeKeyOf(gateway, wanted.targetKeyId));
  const requestId = evaluationKeysIdOf(gateway, key, wanted);
  const present = await readRequest(gateway, requestId);
  if (present.state === 'Recorded') return { requestId, requested: false };
  if (present.state === 'Pending' && !(await hasPassed(gateway, present.deadline)))
    return { requestId, requested: false };
  const explain = (refusal: Refusal) =>
    refusalOf(refusal, wanted, walletOf(gateway).account.address);
  const contract = {
    address: gateway.addresses.evaluationKeyManager,
    abi: evaluationKeyManagerAbi,
  } as const;
  switch (wanted.kind) {
    case 'relinearization':
      await sendPaid(
        gateway,
        { ...contract, functionName: 'requestRelinearizationKey', args: [wanted.keyId] },
        explain,
        onProgress,
      );
      break;
    case 'galois':
      await sendPaid(
        gateway,
        { ...contract, functionName: 'requestGaloisKeys', args: [wanted.keyId, wanted.elements] },
        explain,
        onProgress,
      );
      break;
    case 'switching':
      await sendPaid(
        gateway,
        {
          ...contract,
          functionName: 'requestSwitchingKey',
          args: [wanted.keyId, wanted.targetKeyId],
        },
        explain,
        onProgress,
      );
      break;
  }
  return { requestId, requested: true };
}

/**
 * Lets the owner of one key ask for the key that switches to it from one's own. For good.
 * @throws ClientError `NOT_AUTHORISED` unless the gateway's account owns `keyId`
 */
export async function allowSwitching(
  gateway: Gateway,
  switching: { keyId: Hex; targetKeyId: Hex },
): Promise<void> {
  await send(
    gateway,
    {
      address: gateway.addresses.evaluationKeyManager,
      abi: evaluationKeyManagerAbi,
      functionName: 'allowSwitching',
      args: [switching.keyId, switching.targetKeyId],
    },
    (refusal) =>
      refusalOf(refusal, { kind: 'switching', ...switching }, walletOf(gateway).account.address),
  );
}

/**
 * Refuses two keys that cannot have a switching key between them.
 * @throws ClientError `SWITCHING_REFUSED`
 */
export function requireSwitchable(source: Key, target: Key): void {
  if (source.keyId === target.keyId)
    throw switchingRefused(source.keyId, 'a key is not switched to itself');
  if (source.epochId !== target.epochId)
    throw switchingRefused(source.keyId, 'the keys are of different epochs');
  if (source.parameterSetId !== target.parameterSetId)
    throw switchingRefused(source.keyId, 'the keys have different parameter sets');
}

/** All evaluation keys asked for under a key, oldest first; switching keys from it among them. */
export async function listEvaluationKeys(gateway: Gateway, keyId: Hex): Promise<EvaluationKeys[]> {
  return requestsWith(gateway, { keyId });
}

/** The id a request for evaluation keys has, made or not. */
export function evaluationKeysIdOf(
  gateway: Gateway,
  { epochId }: Key,
  wanted: EvaluationKeyRequest,
): Hex {
  return evaluationKeysRequestId(gateway, { ...wanted, epochId });
}

/** A request for evaluation keys as the chain has it. @throws ClientError `UNKNOWN_ID` */
export async function evaluationKeysOf(gateway: Gateway, requestId: Hex): Promise<EvaluationKeys> {
  const { state } = await readRequest(gateway, requestId);
  const [found] = state === 'None' ? [] : await requestsWith(gateway, { requestId });
  if (found !== undefined) return found;
  throw new ClientError(
    ClientErrorCode.UNKNOWN_ID,
    `there is no request for evaluation keys ${requestId}`,
    { metadata: { requestId } },
  );
}

/** The keys from which ciphertexts can be switched to this one. */
export async function sourcesOf(gateway: Gateway, keyId: Hex): Promise<readonly Hex[]> {
  return gateway.client.readContract({
    address: gateway.addresses.evaluationKeyManager,
    abi: evaluationKeyManagerAbi,
    functionName: 'sourcesOf',
    args: [keyId],
  });
}

/**
 * Waits until the committee has made evaluation keys, and reads what was recorded.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, `UNKNOWN_ID`,
 * `RESULT_MISMATCH`
 */
export async function waitForEvaluationKeys(
  gateway: Gateway,
  requestId: Hex,
  options: WaitOptions,
): Promise<RecordedKeys> {
  const keys = await evaluationKeysOf(gateway, requestId);
  await waitForResult(
    gateway,
    {
      id: requestId,
      epochId: keys.epochId,
      what: `the request for ${nameOf(keys)}`,
      advice: 'Ask for the same keys again: the request keeps its id.',
      done: `recorded: ${nameOf(keys)}`,
      async read() {
        const state = await readRequest(gateway, requestId);
        return state.state === 'Recorded' ? { result: state } : state;
      },
    },
    options,
  );
  return recordedKeys(gateway, { ...keys, state: 'Recorded' });
}

/**
 * The digests of recorded keys from the log, accepted only if the contract knows them as the result.
 * @throws ClientError `RESULT_MISMATCH`, or `EVALUATION_KEYS_MISSING` if nothing is recorded yet
 */
export async function recordedKeys(gateway: Gateway, keys: EvaluationKeys): Promise<RecordedKeys> {
  const { requestId, state } = keys;
  if (state !== 'Recorded')
    throw new ClientError(
      ClientErrorCode.EVALUATION_KEYS_MISSING,
      `${nameOf(keys)}: ${state.toLowerCase()}`,
      { advice: '`kms status ID` shows how far it is.', metadata: { requestId, state } },
    );
  const contract = {
    address: gateway.addresses.evaluationKeyManager,
    abi: evaluationKeyManagerAbi,
  } as const;
  const logged = await eventsOf(gateway, {
    ...contract,
    eventName: 'EvaluationKeysRecorded',
    args: { requestId },
  });
  for (const { args } of logged) {
    const accepted = await gateway.client.readContract({
      ...contract,
      functionName: 'isResult',
      args: [requestId, args.digests],
    });
    const elements = keys.kind === 'galois' ? keys.elements : [0];
    if (!accepted || args.digests.length !== 2 + 64 * elements.length) continue;
    const entries = elements.map((element, item) => ({
      element,
      digest: sliceHex(args.digests, 32 * item, 32 * (item + 1)),
    }));
    return { ...keys, entries };
  }
  throw new ClientError(
    ClientErrorCode.RESULT_MISMATCH,
    'the logs do not hold the digests that the contract recorded',
    { advice: 'Ask another RPC endpoint.', metadata: { requestId } },
  );
}

/** For people: what kind of keys these are. */
export function nameOf({ kind, elements, targetKeyId }: EvaluationKeys): string {
  switch (kind) {
    case 'relinearization':
      return 'relinearization key';
    case 'galois':
      return `Galois keys of ${elements.length} element${elements.length === 1 ? '' : 's'}`;
    case 'switching':
      return `switching key to ${targetKeyId ?? ''}`;
  }
}

/** Requests by their event. One that was asked for again has several: the last one counts. */
async function requestsWith(
  gateway: Gateway,
  args: { keyId: Hex } | { requestId: Hex },
): Promise<EvaluationKeys[]> {
  const events = await eventsOf(gateway, {
    address: gateway.addresses.evaluationKeyManager,
    abi: evaluationKeyManagerAbi,
    eventName: 'EvaluationKeysRequested',
    args,
  });
  const latest = new Map(events.map((event) => [event.args.requestId, event.args]));
  return Promise.all(
    [...latest.values()].map(async ({ requestId, kind, targetKeyId, ...rest }) => ({
      ...rest,
      requestId,
      kind: evaluationKeyKindOf(kind) ?? 'relinearization',
      targetKeyId: targetKeyId === zeroHash ? undefined : targetKeyId,
      ...(await readRequest(gateway, requestId)),
    })),
  );
}

async function readRequest(
  gateway: Gateway,
  requestId: Hex,
): Promise<Pick<EvaluationKeys, 'state' | 'deadline'>> {
  const { state, deadline } = await gateway.client.readContract({
    address: gateway.addresses.evaluationKeyManager,
    abi: evaluationKeyManagerAbi,
    functionName: 'evaluationKeys',
    args: [requestId],
  });
  return { state: EVALUATION_KEY_STATES[state] ?? 'None', deadline: Number(deadline) };
}

function refusalOf(
  refusal: Refusal,
  wanted: EvaluationKeyRequest,
  account: Address,
): ClientError | undefined {
  const { errorName, args } = refusal;
  switch (errorName) {
    case 'EvaluationKeyManagerNotOwner':
      return new ClientError(
        ClientErrorCode.NOT_AUTHORISED,
        `${account} did not request key ${String(args[0])}, so it does not own it`,
        { advice: 'Choose the owner’s account with --from.', metadata: { account } },
      );
    case 'EvaluationKeyManagerSwitchingNotAllowed':
      return new ClientError(
        ClientErrorCode.NOT_AUTHORISED,
        `the owner of key ${String(args[0])} has not allowed switching to ${String(args[1])}`,
        { advice: 'That owner runs `kms keyswitch` with the same keys and --allow.' },
      );
    case 'EvaluationKeyManagerSwitchingChain':
      return switchingRefused(
        wanted.keyId,
        `key ${String(args[0])} is on the other side of a switching key already`,
      );
    case 'EvaluationKeyManagerSourceCount':
      return switchingRefused(wanted.keyId, `${String(args[1])} keys lead to that key already`);
    case 'EvaluationKeyManagerElementsSpent':
      return new ClientError(
        ClientErrorCode.EVALUATION_KEYS_SPENT,
        `${String(args[1])} of the ${String(args[2])} rotations of key ${String(args[0])} are asked for`,
        {
          advice: 'Use those that are there, which `kms key status KEY` lists, or another key.',
          metadata: { keyId: wanted.keyId },
        },
      );
    case 'EvaluationKeyManagerPendingCount':
      return new ClientError(
        ClientErrorCode.EVALUATION_KEYS_PENDING,
        `key ${String(args[0])} has ${String(args[1])} pending requests for evaluation keys already`,
        {
          advice: 'Ask again when one of them, which `kms key status KEY` lists, is recorded.',
          metadata: { keyId: String(args[0]) },
        },
      );
    case 'EvaluationKeyManagerElement':
    case 'EvaluationKeyManagerElementCount':
      return new ClientError(
        ClientErrorCode.INVALID_ARGUMENT,
        `the gateway refuses the list of rotations: ${errorName}(${args.map(String).join(', ')})`,
        { advice: 'Ask for at most 64 rotations at once.' },
      );
    default:
      return keyRefusal(refusal);
  }
}

const switchingRefused = (keyId: Hex, message: string): ClientError =>
  new ClientError(ClientErrorCode.SWITCHING_REFUSED, message, {
    advice:
      'Switch between two keys of one epoch and one parameter set; a key is either left or reached.',
    metadata: { keyId },
  });
