import type { Hex } from 'viem';

import { ciphertextRegistryAbi, keyManagerAbi } from '../../../workers/chain/abi.ts';
import { ciphertextHandle, keyId as idOfKey } from '../../../workers/chain/ids.ts';
import { isKeyloomError } from '../../../workers/errors.ts';
import { originOf } from '../../../workers/proofs/origins.ts';
import type { Session } from '../../../workers/protocols/opening.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { epochId as idOfEpoch } from '../../../workers/sharing/setup.ts';
import { epochOf, membersOf } from '../epochs.ts';
import { ClientErrorCode } from '../errors.ts';
import { eventsOf } from '../events.ts';
import type { Gateway } from '../gateway.ts';
import type { Member } from '../operators.ts';
import { parameterSetById } from '../parameters.ts';
import { AuditError, AuditErrorCode } from './errors.ts';

// An auditor believes an RPC endpoint as far as ids are hashes of what they stand for. What is left
// to the endpoint is to withhold.

/** An epoch whose id is the hash of what the chain says of it. */
export interface AuditedEpoch {
  readonly session: Session;
  /** Signers are part of the id. Endpoints are not: a wrong one can only withhold. */
  readonly members: readonly Member[];
}

/** @throws AuditError CONTENT_MISMATCH; ClientError UNKNOWN_EPOCH */
export async function auditedEpoch(gateway: Gateway, epochId: Hex): Promise<AuditedEpoch> {
  const { chainId, addresses } = gateway;
  const { epochManager, decryptionGateway } = addresses;
  const epoch = await epochOf(gateway, epochId).catch((error: unknown) => {
    if (!isKeyloomError(error, ClientErrorCode.RESULT_MISMATCH)) throw error;
    throw contentMismatch('epoch', epochId);
  });
  const { signers, setupDigest, committee } = epoch;
  requireId('epoch', epochId, idOfEpoch({ chainId, epochManager, signers, setupDigest }));
  return {
    session: { chainId, gateway: decryptionGateway, epochId, setupDigest, committee },
    members: await membersOf(gateway, epoch),
  };
}

/**
 * The parameter set of a key, which has to be of this epoch.
 *
 * @throws AuditError CONTENT_MISMATCH; ClientError PARAMETER_SET_REFUSED if this client lacks it
 */
export async function auditedKeySet(
  gateway: Gateway,
  epochId: Hex,
  keyId: Hex,
): Promise<ParameterSet> {
  const [event] = await eventsOf(gateway, {
    address: gateway.addresses.keyManager,
    abi: keyManagerAbi,
    eventName: 'KeyRequested',
    args: { keyId },
  });
  if (event === undefined) throw contentMismatch('key', keyId);
  requireId('key', keyId, idOfKey(gateway, { ...event.args, epochId }));
  return parameterSetById(event.args.parameterSetId);
}

/** SHA-256 of a ciphertext under a key. @throws AuditError CONTENT_MISMATCH */
export async function auditedDigest(gateway: Gateway, keyId: Hex, handle: Hex): Promise<Hex> {
  const found = await gateway.client.readContract({
    address: gateway.addresses.ciphertextRegistry,
    abi: ciphertextRegistryAbi,
    functionName: 'ciphertext',
    args: [handle],
  });
  const origin = originOf(found.origin);
  if (origin === undefined) throw contentMismatch('ciphertext', handle);
  requireId('ciphertext', handle, ciphertextHandle(gateway, { ...found, keyId, origin }));
  return found.digest;
}

/** @throws AuditError CONTENT_MISMATCH unless the ids are the same */
export function requireId(what: string, id: Hex, computed: Hex): void {
  if (computed !== id) throw contentMismatch(what, id);
}

/** The RPC endpoint says of an id what the id is no hash of, or nothing. */
export function contentMismatch(what: string, id: Hex): AuditError {
  return new AuditError(
    AuditErrorCode.CONTENT_MISMATCH,
    `what the RPC endpoint says of ${what} ${id} does not have this id`,
    { advice: 'Ask another RPC endpoint.', metadata: { id } },
  );
}
