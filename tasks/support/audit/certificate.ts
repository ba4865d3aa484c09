import {
  BaseError,
  decodeFunctionData,
  isAddressEqual,
  size,
  sliceHex,
  type Hex,
  type Transaction,
} from 'viem';

import {
  crsManagerAbi,
  decryptionGatewayAbi,
  evaluationKeyManagerAbi,
  keyManagerAbi,
} from '../../../workers/chain/abi.ts';
import { recoverSigner, signatureBytes } from '../../../workers/chain/typed-data.ts';
import { isKeyloomError } from '../../../workers/errors.ts';
import { indicesIn } from '../epochs.ts';
import type { Gateway } from '../gateway.ts';
import type { AuditedEpoch } from './content.ts';
import { AuditError, AuditErrorCode } from './errors.ts';
import type { Subject } from './subjects.ts';

/**
 * The operators whose signatures of the result are in the transaction that recorded it.
 *
 * The contract has checked them; an RPC endpoint can say that it did. With them it cannot invent a
 * result, and who has signed a wrong one is convicted by that.
 *
 * @returns undefined if the call was made through another contract, or the endpoint has forgotten it
 * @throws AuditError RESULT_UNSIGNED
 */
export async function certificateOf(
  gateway: Gateway,
  epoch: AuditedEpoch,
  subject: Subject,
): Promise<number[] | undefined> {
  const { members, session } = epoch;
  const call = await recordingCall(gateway, subject);
  if (call === undefined) return undefined;
  const { signerBitmap, signatures } = call;
  const indices = indicesIn(signerBitmap);
  let isSigned =
    signerBitmap === subject.signerBitmap &&
    indices.length === session.committee.quorum &&
    indices.every((index) => index <= members.length) &&
    size(signatures) === signatureBytes * indices.length;
  for (const [at, index] of isSigned ? indices.entries() : []) {
    const signature = sliceHex(signatures, signatureBytes * at, signatureBytes * (at + 1));
    try {
      const signer = await recoverSigner(gateway, subject.statement, signature);
      isSigned &&= isAddressEqual(signer, members[index - 1].signer);
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      isSigned = false;
    }
  }
  if (isSigned) return indices;
  throw new AuditError(
    AuditErrorCode.RESULT_UNSIGNED,
    `transaction ${subject.recordedBy.transaction} has no quorum's signatures of the result`,
    { advice: 'Ask another RPC endpoint.', metadata: { id: subject.id } },
  );
}

const abi = [
  ...keyManagerAbi,
  ...evaluationKeyManagerAbi,
  ...crsManagerAbi,
  ...decryptionGatewayAbi,
] as const;

/** The arguments that every recording call ends with; undefined if the transaction is not one. */
async function recordingCall(
  { client }: Gateway,
  { id, recordedBy: { transaction, contract, functionName } }: Subject,
): Promise<{ signerBitmap: bigint; signatures: Hex } | undefined> {
  try {
    const { to, input } = (await client.getTransaction({ hash: transaction })) as Transaction;
    if (to === null || !isAddressEqual(to, contract)) return undefined;
    const call = decodeFunctionData({ abi, data: input });
    if (call.functionName !== functionName || call.args?.[0] !== id) return undefined;
    const [signerBitmap, signatures] = call.args.slice(-2) as [bigint, Hex];
    return { signerBitmap, signatures };
  } catch (error) {
    // Not known, or not a call of these contracts.
    if (error instanceof BaseError) return undefined;
    throw error;
  }
}
