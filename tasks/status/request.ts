import type { Hex } from 'viem';

import { instant, listed, type TaskResult } from '../output.ts';
import { requestOf } from '../support/decryptions.ts';
import { epochOf, membersOf, type Epoch } from '../support/epochs.ts';
import type { Gateway } from '../support/gateway.ts';
import { keyOf } from '../support/keys.ts';
import { describeViews } from '../support/observer.ts';
import {
  askAll,
  faultsNamed,
  fetchRequestView,
  type Answered,
  type RequestView,
} from '../support/operators.ts';

/** A decryption request, and what the operators say of it. @throws ClientError `UNKNOWN_ID` */
export async function describeRequest(gateway: Gateway, requestId: Hex): Promise<TaskResult> {
  const request = await requestOf(gateway, requestId);
  const epoch = await epochOf(gateway, request.epochId);
  const views = await viewsOf(gateway, epoch, requestId);
  const faulty = faultsNamed(views, epoch.committee.t);
  const positions = request.positions.length === 0 ? 'all' : request.positions.join(', ');
  return {
    json: { kind: 'decryption', ...request, operators: views, faulty },
    lines: [
      `decryption request ${requestId}`,
      `${request.state}; deadline ${instant(request.deadline)}`,
      `${request.handles.length} ciphertexts under key ${request.keyId}, coefficients: ${positions}`,
      ...operatorLines(views, epoch),
    ],
  };
}

/** A key, and what the operators say of it. @throws ClientError `UNKNOWN_KEY` */
export async function describeKey(gateway: Gateway, keyId: Hex): Promise<TaskResult> {
  const key = await keyOf(gateway, keyId);
  const epoch = await epochOf(gateway, key.epochId);
  const views = await viewsOf(gateway, epoch, keyId);
  const faulty = faultsNamed(views, epoch.committee.t);
  return {
    json: { kind: 'key', ...key, operators: views, faulty },
    lines: [
      `key ${keyId}`,
      `${key.state}; epoch ${key.epochId}`,
      key.state === 'Pending'
        ? `deadline ${instant(key.deadline)}`
        : `public key SHA-256 ${key.digest}`,
      ...operatorLines(views, epoch),
    ],
  };
}

async function viewsOf(
  gateway: Gateway,
  epoch: Epoch,
  id: Hex,
): Promise<Answered<RequestView | undefined>[]> {
  return askAll(await membersOf(gateway, epoch), (endpoint) => fetchRequestView(endpoint, id));
}

function operatorLines(views: Answered<RequestView | undefined>[], epoch: Epoch): string[] {
  return [
    describeViews(views),
    ...faultsNamed(views, epoch.committee.t).map(
      ({ index, operator, reason, reportedBy }) =>
        `operator ${index} (${operator}) is faulty (${reason}), say operators ${listed(reportedBy)}`,
    ),
  ];
}
