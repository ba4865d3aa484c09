import { bytesToHex, hexToBytes, type Hex } from 'viem';

import {
  CONFIRMATION_PATIENCE_MS,
  fetchBlob,
  readPlaintext,
  type DecryptedValues,
} from '../../sdk/index.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { plaintextLength } from '../../workers/fhe/plaintext.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { indicesIn } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { keyOf, parametersOf } from './keys.ts';
import type { Member } from './operators.ts';

/** One ciphertext's plaintext: the coefficients at the request's positions, or all of them. */
export interface Plaintext extends DecryptedValues {
  handle: Hex;
}

/** What the quorum answered to a request. */
export interface Answer {
  /** One for each ciphertext, in the order of the request. */
  plaintexts: Plaintext[];
  /** Committee indices of the operators whose signatures the answer carries. */
  signers: number[];
}

/**
 * Reads the answer to a request that has one (docs/formats.md, Results).
 * @param members the committee, which serves plaintexts with all coefficients
 * @throws ClientError `RESULT_MISMATCH`, `PARAMETER_SET_REFUSED`; SdkError `BLOB_UNAVAILABLE`
 */
export async function readAnswer(
  gateway: Gateway,
  request: {
    requestId: Hex;
    keyId: Hex;
    handles: readonly Hex[];
    positions: readonly number[];
  },
  members: readonly Member[],
): Promise<Answer> {
  const { requestId, keyId, handles, positions } = request;
  const { result, signers } = await recordedResult(gateway, requestId, 'PublicDecryptionResponded');
  const set = parametersOf(await keyOf(gateway, keyId));
  const bytes = hexToBytes(result);
  const width = positions.length === 0 ? 32 : 8 * positions.length;
  if (bytes.length !== width * handles.length)
    throw mismatch(requestId, 'the answer does not have the length of the request');
  const plaintexts = await Promise.all(
    handles.map(async (handle, item): Promise<Plaintext> => {
      const part = bytes.subarray(item * width, (item + 1) * width);
      if (positions.length === 0)
        return { handle, ...(await fullPlaintext(set, members, bytesToHex(part))) };
      return { handle, coefficients: valuesIn(part), slots: undefined };
    }),
  );
  return { plaintexts, signers };
}

/**
 * The bytes of a result from the log, accepted only if the contract knows them as the result, and the
 * committee indices of who signed it.
 * @throws ClientError `RESULT_MISMATCH`
 */
export async function recordedResult(
  gateway: Gateway,
  requestId: Hex,
  eventName: 'PublicDecryptionResponded' | 'UserDecryptionResponded',
): Promise<{ result: Hex; signers: number[] }> {
  const contract = {
    address: gateway.addresses.decryptionGateway,
    abi: decryptionGatewayAbi,
  } as const;
  const events = await eventsOf(gateway, {
    ...contract,
    eventName,
    args: { requestId },
  });
  for (const { args } of events) {
    const accepted = await gateway.client.readContract({
      ...contract,
      functionName: 'isResult',
      args: [requestId, args.result],
    });
    if (accepted) return { result: args.result, signers: indicesIn(args.signerBitmap) };
  }
  throw mismatch(requestId, 'the logs do not hold the result that the contract recorded');
}

async function fullPlaintext(
  set: ParameterSet,
  members: readonly Member[],
  digest: Hex,
): Promise<DecryptedValues> {
  const blob = await fetchBlob(
    members.map(({ endpoint }) => endpoint),
    digest,
    { maxBytes: plaintextLength(set), patienceMs: CONFIRMATION_PATIENCE_MS },
  );
  return readPlaintext(set, blob);
}

/** Values of 8 bytes each, big-endian (docs/formats.md, Results). */
function valuesIn(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(8 * i));
}

const mismatch = (requestId: Hex, message: string): ClientError =>
  new ClientError(ClientErrorCode.RESULT_MISMATCH, message, {
    advice: 'Ask another RPC endpoint.',
    metadata: { requestId },
  });
