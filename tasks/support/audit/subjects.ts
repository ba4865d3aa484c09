import { zeroHash, type Address, type Hex } from 'viem';

import {
  crsManagerAbi,
  decryptionGatewayAbi,
  evaluationKeyManagerAbi,
  keyManagerAbi,
} from '../../../workers/chain/abi.ts';
import {
  ceremonyId as idOfCeremony,
  evaluationKeysRequestId,
  keyId as idOfKey,
  publicDecryptionRequestId,
  userDecryptionRequestId,
} from '../../../workers/chain/ids.ts';
import { evaluationKeyKindOf } from '../../../workers/chain/state.ts';
import type { Statement } from '../../../workers/chain/typed-data.ts';
import { Operation } from '../../../workers/sharing/ids.ts';
import type { EvaluationKeyRequest } from '../../../workers/protocols/evaluation-keys.ts';
import { ClientError, ClientErrorCode } from '../errors.ts';
import { eventsOf } from '../events.ts';
import type { Gateway } from '../gateway.ts';
import { contentMismatch, requireId } from './content.ts';
import { AuditError, AuditErrorCode } from './errors.ts';
import type { Asked } from './items.ts';

/** Something that was asked of a committee and has a result. */
export interface Subject {
  readonly id: Hex;
  readonly epochId: Hex;
  /** The id is a hash of this. */
  readonly asked: Asked;
  /** The recorded result, in full. */
  readonly result: Hex;
  /** Committee indices whose signatures the contract took, says the log. */
  readonly signerBitmap: bigint;
  /** Where it was recorded, and by which call. */
  readonly recordedBy: {
    readonly transaction: Hex;
    readonly contract: Address;
    readonly functionName: string;
  };
  /** What a quorum has signed if this is the result. */
  readonly statement: Statement;
}

type Reader = (gateway: Gateway, id: Hex) => Promise<Subject | undefined>;

/**
 * What an id stands for, and what came of it. Ids are hashes: at most one kind has it.
 *
 * @throws ClientError UNKNOWN_ID, RESULT_MISMATCH; AuditError CONTENT_MISMATCH, NOTHING_RECORDED
 */
export async function subjectOf(gateway: Gateway, id: Hex): Promise<Subject> {
  const readers: Reader[] = [
    ...[publicKeySubject, evaluationKeysSubject, ceremonySubject, decryptionSubject],
  ];
  for (const read of readers) {
    const subject = await read(gateway, id);
    if (subject !== undefined) return subject;
  }
  throw new ClientError(ClientErrorCode.UNKNOWN_ID, `there is no request ${id}`, {
    advice:
      'Audit a key, evaluation keys, a ceremony or a decryption by the id that its task has printed.',
    metadata: { id },
  });
}

async function publicKeySubject(gateway: Gateway, keyId: Hex): Promise<Subject | undefined> {
  const contract = { address: gateway.addresses.keyManager, abi: keyManagerAbi } as const;
  const args = { keyId };
  const key = await gateway.client.readContract({
    ...{ ...contract, functionName: 'key', args: [keyId] },
  });
  if (key.state === 0) return undefined;
  const [asked] = await eventsOf(gateway, { ...contract, eventName: 'KeyRequested', args });
  if (asked === undefined) throw contentMismatch('key', keyId);
  requireId('key', keyId, idOfKey(gateway, asked.args));
  if (key.digest === zeroHash) throw nothingRecorded(keyId);
  const recorded = await eventsOf(gateway, { ...contract, eventName: 'PublicKeyRecorded', args });
  const found = recorded.find((event) => event.args.digest === key.digest);
  if (found === undefined) throw mismatch(keyId);
  const { epochId } = asked.args;
  const { digest, signerBitmap } = found.args;
  return {
    ...{ id: keyId, epochId, asked: { kind: 'public-key', keyId }, result: digest, signerBitmap },
    recordedBy: recording(found, 'recordPublicKey'),
    statement: {
      ...{ type: 'Result', contract: 'keyManager' },
      message: { epochId, requestId: keyId, result: digest },
    },
  };
}

async function evaluationKeysSubject(gateway: Gateway, id: Hex): Promise<Subject | undefined> {
  const { evaluationKeyManager: address } = gateway.addresses;
  const contract = { address, abi: evaluationKeyManagerAbi } as const;
  const args = { requestId: id };
  const request = await gateway.client.readContract({
    ...{ ...contract, functionName: 'evaluationKeys', args: [id] },
  });
  if (request.state === 0) return undefined;
  const eventName = 'EvaluationKeysRequested';
  const [event] = await eventsOf(gateway, { ...contract, eventName, args });
  const kind = event && evaluationKeyKindOf(event.args.kind);
  if (event === undefined || kind === undefined) throw contentMismatch('request', id);
  const { epochId, keyId, targetKeyId, elements } = event.args;
  requireId('request', id, evaluationKeysRequestId(gateway, { ...event.args, kind }));
  const asked: Record<typeof kind, EvaluationKeyRequest> = {
    relinearization: { kind: 'relinearization', keyId },
    galois: { kind: 'galois', keyId, elements },
    switching: { kind: 'switching', keyId, targetKeyId },
  };
  if (request.resultHash === zeroHash) throw nothingRecorded(id);
  const name = 'EvaluationKeysRecorded';
  const recorded = await eventsOf(gateway, { ...contract, eventName: name, args });
  for (const found of recorded) {
    const { digests, signerBitmap } = found.args;
    const isResult = await gateway.client.readContract({
      ...{ ...contract, functionName: 'isResult', args: [id, digests] },
    });
    if (!isResult) continue;
    return {
      ...{ id, epochId, asked: asked[kind], result: digests, signerBitmap },
      recordedBy: recording(found, 'recordEvaluationKeys'),
      statement: {
        ...{ type: 'Result', contract: 'evaluationKeyManager' },
        message: { epochId, requestId: id, result: digests },
      },
    };
  }
  throw mismatch(id);
}

async function ceremonySubject(gateway: Gateway, id: Hex): Promise<Subject | undefined> {
  const contract = { address: gateway.addresses.crsManager, abi: crsManagerAbi } as const;
  const args = { ceremonyId: id };
  const request = await gateway.client.readContract({
    ...{ ...contract, functionName: 'request', args: [id] },
  });
  if (request.state === 0) return undefined;
  const [event] = await eventsOf(gateway, { ...contract, eventName: 'CrsRequested', args });
  if (event === undefined) throw contentMismatch('ceremony', id);
  requireId('ceremony', id, idOfCeremony(gateway, event.args));
  if (request.resultHash === zeroHash) throw nothingRecorded(id);
  const [found] = await eventsOf(gateway, { ...contract, eventName: 'CrsRecorded', args });
  if (found === undefined) throw mismatch(id);
  const { epochId } = event.args;
  const { stateHash: result, signerBitmap } = found.args;
  return {
    ...{ id, epochId, asked: { kind: 'ceremony', ceremonyId: id }, result, signerBitmap },
    recordedBy: recording(found, 'finish'),
    statement: {
      ...{ type: 'Result', contract: 'crsManager' },
      message: { epochId, requestId: id, result },
    },
  };
}

async function decryptionSubject(gateway: Gateway, id: Hex): Promise<Subject | undefined> {
  const { decryptionGateway: address } = gateway.addresses;
  const contract = { address, abi: decryptionGatewayAbi } as const;
  const args = { requestId: id };
  const request = await gateway.client.readContract({
    ...{ ...contract, functionName: 'request', args: [id] },
  });
  if (request.state === 0) return undefined;
  const isForUser = request.operation === Operation.userDecryption;
  const { asked, epochId } = isForUser
    ? await askedForUser(gateway, id)
    : await askedForPublic(gateway, id);
  if (request.resultHash === zeroHash) throw nothingRecorded(id);
  const recorded = isForUser
    ? await eventsOf(gateway, { ...contract, eventName: 'UserDecryptionResponded', args })
    : await eventsOf(gateway, { ...contract, eventName: 'PublicDecryptionResponded', args });
  for (const found of recorded) {
    const { result, signerBitmap } = found.args;
    const isResult = await gateway.client.readContract({
      ...{ ...contract, functionName: 'isResult', args: [id, result] },
    });
    if (!isResult) continue;
    const message = { epochId, requestId: id, result };
    return {
      ...{ id, epochId, asked, result, signerBitmap },
      recordedBy: recording(found, 'respond'),
      statement: { type: 'Result', contract: 'decryptionGateway', message },
    };
  }
  throw mismatch(id);
}

async function askedForPublic(
  gateway: Gateway,
  requestId: Hex,
): Promise<Pick<Subject, 'asked' | 'epochId'>> {
  const [event] = await eventsOf(gateway, {
    address: gateway.addresses.decryptionGateway,
    abi: decryptionGatewayAbi,
    eventName: 'PublicDecryptionRequested',
    args: { requestId },
  });
  if (event === undefined) throw contentMismatch('request', requestId);
  requireId('request', requestId, publicDecryptionRequestId(gateway, event.args));
  const { epochId, keyId, handles, positions } = event.args;
  return { epochId, asked: { kind: 'public-decryption', keyId, handles, positions } };
}

async function askedForUser(
  gateway: Gateway,
  requestId: Hex,
): Promise<Pick<Subject, 'asked' | 'epochId'>> {
  const [event] = await eventsOf(gateway, {
    address: gateway.addresses.decryptionGateway,
    abi: decryptionGatewayAbi,
    eventName: 'UserDecryptionRequested',
    args: { requestId },
  });
  if (event === undefined) throw contentMismatch('request', requestId);
  requireId('request', requestId, userDecryptionRequestId(gateway, event.args));
  const { epochId, keyId, handles, packed, publicKeyDigest } = event.args;
  return { epochId, asked: { kind: 'user-decryption', keyId, handles, packed, publicKeyDigest } };
}

const recording = (
  { transactionHash, address }: { transactionHash: Hex; address: Address },
  functionName: string,
): Subject['recordedBy'] => ({ transaction: transactionHash, contract: address, functionName });

const nothingRecorded = (id: Hex): AuditError =>
  new AuditError(AuditErrorCode.NOTHING_RECORDED, `there is no result of ${id} on chain`, {
    advice: '`kms status ID` shows how far it is.',
    metadata: { id },
  });

const mismatch = (id: Hex): ClientError =>
  new ClientError(
    ClientErrorCode.RESULT_MISMATCH,
    'the logs do not hold the result that the contract recorded',
    { advice: 'Ask another RPC endpoint.', metadata: { id } },
  );
