import { randomBytes } from 'node:crypto';
import { bytesToHex, parseEventLogs, sliceHex, size, type Address, type Hex } from 'viem';

import {
  CONFIRMATION_PATIENCE_MS,
  decryptAnswer,
  fetchBlob,
  uploadBlob,
  type DecryptedValues,
  type UserKeys,
} from '../../sdk/index.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { userDecryptionRequestId } from '../../workers/chain/ids.ts';
import { ciphertextLength, firstLimbs } from '../../workers/fhe/ciphertext.ts';
import { Operation } from '../../workers/sharing/ids.ts';
import { decryptionRefusal, requireContent } from './decryptions.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { keyOf, parametersOf } from './keys.ts';
import { sendPaid } from './payments.ts';
import { permitRefusal, requirePermitFor, type SignedPermit } from './permits.ts';
import { recordedResult } from './plaintexts.ts';
import { recordOf, type RequestState } from './requests.ts';
import { waitForResult } from './results.ts';
import type { WaitOptions } from './waiting.ts';

/** A user decryption request as the chain has it. */
export interface UserDecryptionRequest {
  requestId: Hex;
  state: RequestState;
  /** Unix seconds until which it can be answered; once it is, until which operators can attest. */
  deadline: number;
  epochId: Hex;
  keyId: Hex;
  handles: readonly Hex[];
  /** One answer with coefficient 0 of each ciphertext, instead of one answer for each. */
  packed: boolean;
  /** Who signed the permit. */
  user: Address;
  publicKeyDigest: Hex;
  /** Who sent it. */
  requester: Address;
}

/** An answered request, as only the holder of the user's secret key can read it. */
export type UserDecryption = UserDecryptionRequest & {
  /** One for each ciphertext, in the order of the request. Packed: its coefficient 0. */
  plaintexts: ({ handle: Hex } & DecryptedValues)[];
  /** Committee indices of the operators whose signatures the answer carries. */
  signers: number[];
};

/**
 * Asks for ciphertexts to be decrypted for one user, and hands the user's public key to the operators.
 * @param options.salt tells repeated requests apart; random if absent
 * @returns the request's id
 * @throws ClientError `PERMIT_EXPIRED`, `PERMIT_NOT_YET_VALID`, `PERMIT_REFUSED`, `METER_SPENT`,
 * `NOT_REGISTERED`, `NOT_AUTHORISED`, `KEY_NOT_ACTIVE`, `FEE_UNAFFORDABLE`, `INVALID_ARGUMENT`; SdkError
 * `BLOB_REFUSED`
 */
export async function requestUserDecryption(
  gateway: Gateway,
  options: SignedPermit & {
    keys: Pick<UserKeys, 'publicKey' | 'digest'>;
    handles: readonly Hex[];
    packed: boolean;
    salt?: Hex;
    onProgress?: (text: string) => void;
  },
): Promise<Hex> {
  const { permit, signature, keys, handles, packed } = options;
  requirePermitFor(gateway, permit, keys.digest);
  const address = gateway.addresses.decryptionGateway;
  const salt = options.salt ?? bytesToHex(randomBytes(32));
  const receipt = await sendPaid(
    gateway,
    {
      address,
      abi: decryptionGatewayAbi,
      functionName: 'requestUserDecryption',
      args: [permit.message, signature, handles, packed, salt],
    },
    (refusal) =>
      permitRefusal(refusal, permit.message) ?? decryptionRefusal(refusal, permit.message.user),
    options.onProgress,
  );
  const [requested] = parseEventLogs({
    abi: decryptionGatewayAbi,
    eventName: 'UserDecryptionRequested',
    logs: receipt.logs.filter((log) => log.address.toLowerCase() === address.toLowerCase()),
  });
  if (requested === undefined)
    throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the request left no event');
  const { requestId, epochId } = requested.args;
  options.onProgress?.(
    `requested decryption ${requestId}; handing the public key to the operators`,
  );
  const epoch = await epochOf(gateway, epochId);
  const members = await membersOf(gateway, epoch);
  await uploadBlob(
    members.map(({ endpoint }) => endpoint),
    keys.publicKey,
    { needed: epoch.committee.t + 1 },
  );
  return requestId;
}

/**
 * A user decryption request as the chain has it, with the content that its id is the hash of.
 * @throws ClientError `UNKNOWN_ID`, `RESULT_MISMATCH`
 */
export async function userDecryptionOf(
  gateway: Gateway,
  requestId: Hex,
): Promise<UserDecryptionRequest> {
  const { state, deadline, operation } = await recordOf(gateway, 'decryptionGateway', requestId);
  const [event] =
    operation !== Operation.userDecryption
      ? []
      : await eventsOf(gateway, {
          address: gateway.addresses.decryptionGateway,
          abi: decryptionGatewayAbi,
          eventName: 'UserDecryptionRequested',
          args: { requestId },
        });
  if (event === undefined)
    throw new ClientError(
      ClientErrorCode.UNKNOWN_ID,
      `there is no user decryption request ${requestId}`,
      { metadata: { requestId } },
    );
  requireContent(requestId, userDecryptionRequestId(gateway, event.args));
  const { epochId, keyId, handles, packed, user, publicKeyDigest, requester } = event.args;
  return {
    ...{ requestId, state, deadline, epochId, keyId, handles, packed },
    ...{ user, publicKeyDigest, requester },
  };
}

/**
 * Waits for the answer to a request and decrypts it with the user's secret key, on this machine.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, `UNKNOWN_ID`,
 * `RESULT_MISMATCH`; SdkError `BLOB_UNAVAILABLE`, `ANSWER_INVALID`
 */
export async function waitForUserDecryption(
  gateway: Gateway,
  requestId: Hex,
  keys: Pick<UserKeys, 'secretKey'>,
  options: WaitOptions,
): Promise<UserDecryption> {
  const request = await userDecryptionOf(gateway, requestId);
  await waitForResult(
    gateway,
    {
      id: requestId,
      epochId: request.epochId,
      what: `request ${requestId}`,
      advice: 'Request the decryption again: what is repeated costs nothing on the meter.',
      done: 'the answer is on chain',
      async read() {
        const record = await recordOf(gateway, 'decryptionGateway', requestId);
        return record.state === 'Answered' ? { result: record } : record;
      },
    },
    options,
  );
  return readUserAnswer(gateway, { ...request, state: 'Answered' }, keys);
}

/** Downloads the answers to a request, checks them against the chain and decrypts them. */
async function readUserAnswer(
  gateway: Gateway,
  request: UserDecryptionRequest,
  { secretKey }: Pick<UserKeys, 'secretKey'>,
): Promise<UserDecryption> {
  const { requestId, handles, packed } = request;
  const { result, signers } = await recordedResult(gateway, requestId, 'UserDecryptionResponded');
  const answers = packed ? 1 : handles.length;
  if (size(result) !== 32 * answers)
    throw new ClientError(
      ClientErrorCode.RESULT_MISMATCH,
      'the answer does not have the length of the request',
      { advice: 'Ask another RPC endpoint.', metadata: { requestId } },
    );
  const set = parametersOf(await keyOf(gateway, request.keyId));
  const members = await membersOf(gateway, await epochOf(gateway, request.epochId));
  const endpoints = members.map(({ endpoint }) => endpoint);
  const values = await Promise.all(
    Array.from({ length: answers }, async (_, item) => {
      const digest = sliceHex(result, 32 * item, 32 * (item + 1));
      const answer = await fetchBlob(endpoints, digest, {
        maxBytes: ciphertextLength(set, firstLimbs(set)),
        patienceMs: CONFIRMATION_PATIENCE_MS,
      });
      return packed
        ? decryptAnswer(set, secretKey, answer, 'packed', handles.length)
        : decryptAnswer(set, secretKey, answer, 'full');
    }),
  );
  const plaintexts = handles.map((handle, item) =>
    packed
      ? { handle, coefficients: [values[0].coefficients[item]], slots: undefined }
      : { handle, ...values[item] },
  );
  return { ...request, plaintexts, signers };
}
