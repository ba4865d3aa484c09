import { isAddressEqual, type Address, type ContractFunctionParameters, type Hex } from 'viem';

import { evidenceCall } from '../../../workers/chain/evidence.ts';
import { isKeyloomError } from '../../../workers/errors.ts';
import type { Evidence } from '../../../workers/protocols/evidence.ts';
import type { slashingManagerAbi } from '../../../workers/chain/abi.ts';
import { openingId } from '../../../workers/sharing/ids.ts';
import type { RequestContract } from '../../../workers/chain/state.ts';
import { epochOf } from '../epochs.ts';
import { ClientError, ClientErrorCode } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { recordOf } from '../requests.ts';
import { convictionsIn, type Conviction } from '../slashing.ts';
import { send } from '../transactions.ts';
import { fetchEvidence, type Served } from './collect.ts';

const SOURCES: readonly RequestContract[] = [
  'keyManager',
  'evaluationKeyManager',
  'crsManager',
  'decryptionGateway',
];

/**
 * Gets evidence of an offence from whoever serves it, and submits the first that the contract accepts in
 * a simulation. What it refuses is never sent.
 *
 * @param onProgress told whose evidence is submitted
 * @returns what came of it, by the events of the transaction
 * @throws ClientError `EVIDENCE_UNAVAILABLE`, `EVIDENCE_REFUSED` with the contract's error in the metadata
 */
export async function submitOffence(
  gateway: Gateway,
  offenceId: Hex,
  beneficiary: Address,
  onProgress?: (text: string) => void,
): Promise<Conviction> {
  const { served, unusable } = await fetchEvidence(gateway, offenceId);
  if (served.length === 0)
    throw new ClientError(
      ClientErrorCode.EVIDENCE_UNAVAILABLE,
      [
        `no operator serves evidence of ${offenceId}`,
        ...unusable.map(({ operator, why }) => `${operator} cannot be used (${why})`),
      ].join('; '),
      { advice: '`kms evidence list` shows what there is.', metadata: { offenceId } },
    );
  const refusals: { holder: Address; error: ClientError }[] = [];
  for (const { evidence, holder } of served) {
    try {
      onProgress?.(`submitting what ${holder} serves`);
      return await submitEvidence(gateway, offenceId, evidence, beneficiary);
    } catch (error) {
      if (!isKeyloomError(error, ClientErrorCode.EVIDENCE_REFUSED)) throw error;
      refusals.push({ holder, error: error as ClientError });
    }
  }
  const names = refusals.flatMap(({ error }) => error.metadata['errorName'] ?? []);
  throw new ClientError(
    ClientErrorCode.EVIDENCE_REFUSED,
    refusals.map(({ holder, error }) => `what ${holder} serves: ${error.message}`).join('; '),
    {
      advice: '`kms slash status` shows what is proven already, and who has no bond left.',
      metadata: { offenceId, errorName: [...new Set(names)].join(', ') },
    },
  );
}

/**
 * Submits evidence, if the contract accepts it in a simulation.
 * @throws ClientError `EVIDENCE_REFUSED`
 */
export async function submitEvidence(
  gateway: Gateway,
  offenceId: Hex,
  evidence: Served['evidence'],
  beneficiary: Address,
): Promise<Conviction> {
  await requireSameOffence(gateway, evidence);
  const call = evidenceCall(gateway.slashingManager, evidence, beneficiary);
  const receipt = await send(
    gateway,
    call as ContractFunctionParameters<typeof slashingManagerAbi, 'nonpayable'>,
    ({ errorName, args }) => refused(`${errorName}(${args.map(String).join(', ')})`, { errorName }),
  );
  const conviction = convictionsIn(gateway, receipt.logs).find(
    (one) => one.offenceId === offenceId,
  );
  if (conviction !== undefined) return conviction;
  throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the submission left no conviction', {
    metadata: { transactionHash: receipt.transactionHash },
  });
}

/**
 * The contract computes some of what the offence's id is made of by itself: that has to be what the
 * evidence says of itself, or it would prove another offence than was asked for. It also asks the
 * contract that took a request, which thus must be one of the deployment: another might answer a
 * transaction differently from its simulation.
 */
async function requireSameOffence(gateway: Gateway, evidence: Evidence): Promise<void> {
  const { epochId, subject } = evidence;
  if (evidence.kind === 'wrong-share') {
    const { setupDigest } = await epochOrRefusal(gateway, epochId);
    if (openingId(setupDigest, evidence.opening) !== subject)
      throw refused('it is about another opening than it says');
  }
  if (evidence.kind === 'wrong-result') {
    const { source } = evidence;
    const contract = SOURCES.find((name) => isAddressEqual(gateway.addresses[name], source));
    if (contract === undefined) throw refused(`${source} takes no requests of this deployment`);
    const record = await recordOf(gateway, contract, subject);
    if (record.epochId !== epochId) throw refused('the request is not one of the epoch');
  }
}

async function epochOrRefusal(gateway: Gateway, epochId: Hex): ReturnType<typeof epochOf> {
  try {
    return await epochOf(gateway, epochId);
  } catch (error) {
    if (!isKeyloomError(error, ClientErrorCode.UNKNOWN_EPOCH)) throw error;
    throw refused(error.message);
  }
}

const refused = (message: string, metadata = {}): ClientError =>
  new ClientError(ClientErrorCode.EVIDENCE_REFUSED, message, { metadata });
