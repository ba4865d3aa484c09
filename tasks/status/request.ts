import type { Hex } from 'viem';

import { instant, type TaskResult } from '../output.ts';
import { requestOf } from '../support/decryptions.ts';
import { evaluationKeysOf, nameOf, recordedKeys } from '../support/evaluation-keys.ts';
import type { Gateway } from '../support/gateway.ts';
import { userDecryptionOf } from '../support/user-decryptions.ts';
import { describeFee } from './fee.ts';
import { viewsOf } from './views.ts';

/** A public decryption, and what the operators say of it. @throws ClientError `UNKNOWN_ID` */
export async function describePublicDecryption(
  gateway: Gateway,
  requestId: Hex,
): Promise<TaskResult> {
  const request = await requestOf(gateway, requestId);
  const views = await viewsOf(gateway, request.epochId, requestId);
  const fee = await describeFee(gateway, 'decryptionGateway', requestId);
  const positions = request.positions.length === 0 ? 'all' : request.positions.join(', ');
  return {
    json: { kind: 'decryption', ...request, ...fee.json, ...views.json },
    lines: [
      `decryption request ${requestId}`,
      lifeOf(request),
      `${request.handles.length} ciphertexts under key ${request.keyId}, coefficients: ${positions}`,
      ...fee.lines,
      ...views.lines,
    ],
  };
}

/** A decryption for one user, and what the operators say of it. @throws ClientError `UNKNOWN_ID` */
export async function describeUserDecryption(
  gateway: Gateway,
  requestId: Hex,
): Promise<TaskResult> {
  const request = await userDecryptionOf(gateway, requestId);
  const views = await viewsOf(gateway, request.epochId, requestId);
  const fee = await describeFee(gateway, 'decryptionGateway', requestId);
  const form = request.packed ? 'packed into one answer' : 'one answer for each';
  return {
    json: { kind: 'userDecryption', ...request, ...fee.json, ...views.json },
    lines: [
      `user decryption request ${requestId}`,
      lifeOf(request),
      `${request.handles.length} ciphertexts under key ${request.keyId}, ${form}`,
      `for ${request.user}, holder of the key with SHA-256 ${request.publicKeyDigest}`,
      ...fee.lines,
      ...views.lines,
    ],
  };
}

/** Evaluation keys, and what the operators say of them. @throws ClientError `UNKNOWN_ID` */
export async function describeEvaluationKeys(
  gateway: Gateway,
  requestId: Hex,
): Promise<TaskResult> {
  const keys = await evaluationKeysOf(gateway, requestId);
  const views = await viewsOf(gateway, keys.epochId, requestId);
  const fee = await describeFee(gateway, 'evaluationKeyManager', requestId);
  const entries = keys.state === 'Recorded' ? (await recordedKeys(gateway, keys)).entries : [];
  const { kind, ...rest } = keys;
  return {
    json: { kind: 'evaluationKeys', keys: kind, ...rest, entries, ...fee.json, ...views.json },
    lines: [
      `request ${requestId}`,
      `${nameOf(keys)}, under key ${keys.keyId}`,
      keys.state === 'Recorded' ? `Recorded: ${entries.length} entries` : lifeOf(keys),
      ...fee.lines,
      ...views.lines,
    ],
  };
}

/** How far a request is; its deadline while that is one of the answer. */
const lifeOf = ({ state, deadline }: { state: string; deadline: number }): string =>
  state === 'Answered' ? state : `${state}; deadline ${instant(deadline)}`;
