import { randomBytes } from 'node:crypto';
import { bytesToHex, parseEventLogs, type Address, type Hex } from 'viem';

import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { publicDecryptionRequestId } from '../../workers/chain/ids.ts';
import { Operation } from '../../workers/sharing/ids.ts';
import { notRegistered } from './ciphertexts.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { keyRefusal } from './keys.ts';
import { sendPaid } from './payments.ts';
import { readAnswer, type Answer } from './plaintexts.ts';
import { recordOf, type RequestState } from './requests.ts';
import { waitForResult } from './results.ts';
import { walletOf, type Refusal } from './transactions.ts';
import type { WaitOptions } from './waiting.ts';

/** A public decryption request as the chain has it. */
export interface DecryptionRequest {
  requestId: Hex;
  state: RequestState;
  /** Unix seconds until which it can be answered; once it is, until which operators can attest. */
  deadline: number;
  epochId: Hex;
  keyId: Hex;
  handles: readonly Hex[];
  /** The coefficients asked for; none means all. */
  positions: readonly number[];
  requester: Address;
}

/** An answered request. */
export type Decryption = DecryptionRequest & Answer;

/**
 * Asks for the plaintexts of ciphertexts, for everybody to see.
 * @param options.positions coefficients wanted, strictly ascending; none or absent means all
 * @param options.salt tells repeated requests apart; random if absent
 * @param options.onProgress told of a deposit for the fee
 * @returns the request's id
 * @throws ClientError `NOT_REGISTERED`, `NOT_AUTHORISED`, `KEY_NOT_ACTIVE`, `FEE_UNAFFORDABLE`,
 * `INVALID_ARGUMENT`
 */
export async function requestPublicDecryption(
  gateway: Gateway,
  options: {
    handles: readonly Hex[];
    positions?: readonly number[];
    salt?: Hex;
    onProgress?: (text: string) => void;
  },
): Promise<Hex> {
  const address = gateway.addresses.decryptionGateway;
  const salt = options.salt ?? bytesToHex(randomBytes(32));
  const receipt = await sendPaid(
    gateway,
    {
      address,
      abi: decryptionGatewayAbi,
      functionName: 'requestPublicDecryption',
      args: [options.handles, options.positions ?? [], salt],
    },
    (refusal) => decryptionRefusal(refusal, walletOf(gateway).account.address),
    options.onProgress,
  );
  const [requested] = parseEventLogs({
    abi: decryptionGatewayAbi,
    eventName: 'PublicDecryptionRequested',
    logs: receipt.logs.filter((log) => log.address.toLowerCase() === address.toLowerCase()),
  });
  if (requested === undefined)
    throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the request left no event');
  return requested.args.requestId;
}

/**
 * A public decryption request as the chain has it, with the content that its id is the hash of.
 * @throws ClientError `UNKNOWN_ID`, `RESULT_MISMATCH`
 */
export async function requestOf(gateway: Gateway, requestId: Hex): Promise<DecryptionRequest> {
  const { state, deadline, operation } = await recordOf(gateway, 'decryptionGateway', requestId);
  const [event] =
    operation !== Operation.publicDecryption
      ? []
      : await eventsOf(gateway, {
          address: gateway.addresses.decryptionGateway,
          abi: decryptionGatewayAbi,
          eventName: 'PublicDecryptionRequested',
          args: { requestId },
        });
  if (event === undefined)
    throw new ClientError(ClientErrorCode.UNKNOWN_ID, `there is no request ${requestId}`, {
      metadata: { requestId },
    });
  requireContent(requestId, publicDecryptionRequestId(gateway, event.args));
  const { epochId, keyId, handles, positions, requester } = event.args;
  return { requestId, state, deadline, epochId, keyId, handles, positions, requester };
}

/**
 * Waits for the answer to a request and reads it. Values come from the answer on chain; plaintexts
 * with all coefficients from the operators, accepted only with the digest that is on chain.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, `UNKNOWN_ID`,
 * `RESULT_MISMATCH`; SdkError `BLOB_UNAVAILABLE`
 */
export async function waitForDecryption(
  gateway: Gateway,
  requestId: Hex,
  options: WaitOptions,
): Promise<Decryption> {
  const request = await requestOf(gateway, requestId);
  await waitForResult(
    gateway,
    {
      id: requestId,
      epochId: request.epochId,
      what: `request ${requestId}`,
      advice: 'Request the decryption again.',
      done: 'the answer is on chain',
      async read() {
        const record = await recordOf(gateway, 'decryptionGateway', requestId);
        return record.state === 'Answered' ? { result: record } : record;
      },
    },
    options,
  );
  const members = await membersOf(gateway, await epochOf(gateway, request.epochId));
  return { ...request, state: 'Answered', ...(await readAnswer(gateway, request, members)) };
}

/** Refuses what an RPC endpoint says of a request if that has another id. @throws ClientError `RESULT_MISMATCH` */
export function requireContent(requestId: Hex, computed: Hex): void {
  if (computed === requestId) return;
  throw new ClientError(
    ClientErrorCode.RESULT_MISMATCH,
    `what the RPC endpoint says of request ${requestId} does not have this id`,
    { advice: 'Ask another RPC endpoint.', metadata: { requestId } },
  );
}

/** What asking for a decryption, public or for a user, may be refused with. */
export function decryptionRefusal(refusal: Refusal, account: Address): ClientError | undefined {
  const { errorName, args } = refusal;
  switch (errorName) {
    case 'CiphertextRegistryUnknown':
      return notRegistered(args[0] as Hex);
    case 'CiphertextRegistryNotAllowed':
      return new ClientError(
        ClientErrorCode.NOT_AUTHORISED,
        `${account} may not decrypt ciphertext ${String(args[0])}`,
        { advice: 'Its owner can allow that, or choose the owner’s account with --from.' },
      );
    case 'DecryptionGatewayMeterSpent':
      return new ClientError(
        ClientErrorCode.METER_SPENT,
        `key ${String(args[0])} has too few of its ${String(args[1])} decryptions left`,
        {
          advice: 'What was decrypted before stays free; for anything else use another key.',
          metadata: { keyId: String(args[0]) },
        },
      );
    case 'DecryptionGatewayQuotaSpent':
      return new ClientError(
        ClientErrorCode.METER_SPENT,
        `${String(args[1])} has too few of its ${String(args[2])} decryptions under key ${String(args[0])} left`,
        {
          advice: 'The key’s owner can grant more with `kms meter grant`.',
          metadata: { keyId: String(args[0]) },
        },
      );
    case 'CiphertextRegistryMixedKeys':
    case 'DecryptionGatewayDuplicateHandle':
    case 'DecryptionGatewayHandleCount':
    case 'DecryptionGatewayPositionCount':
    case 'DecryptionGatewayPositionOrder':
    case 'DecryptionGatewayPositionRange':
      return new ClientError(
        ClientErrorCode.INVALID_ARGUMENT,
        `the gateway refuses the request: ${errorName}(${args.map(String).join(', ')})`,
        {
          advice: 'Handles must differ and share one key; positions must ascend below the degree.',
        },
      );
    default:
      return keyRefusal(refusal);
  }
}
