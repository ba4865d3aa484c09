import { isAddressEqual, type Hex } from 'viem';

import { isKeyloomError } from '../errors.ts';
import { originOf } from '../proofs/origins.ts';
import { committeeOf } from '../sharing/committee.ts';
import { parameterSetId as idOfSet } from '../sharing/ids.ts';
import { epochId as idOfEpoch, setupDigest } from '../sharing/setup.ts';
import type { Deployment } from './client.ts';
import type { GatewayEvent } from './events.ts';
import {
  ceremonyId as idOfCeremony,
  ciphertextHandle,
  evaluationKeysRequestId,
  keyId as idOfKey,
  proposalId as idOfProposal,
  publicDecryptionRequestId,
  userDecryptionRequestId,
} from './ids.ts';
import { evaluationKeyKindOf, indicesOf, operatorKey, type GatewayState } from './state.ts';

/**
 * True unless an event gives an id another meaning than the one it is a hash of.
 *
 * Whom an operator believes follows from ids: an epoch's id stands for its signers, a handle for the
 * digests of a ciphertext and its proof, an operator's address for its signer and its peer id. An RPC endpoint
 * can invent logs at any time, after 2t+1 operators have agreed on a request as well as before; so the
 * contracts' hashes are computed again here, and an id that is known keeps its meaning for ever. What is left
 * to an endpoint is to withhold, and to invent what nobody else sees.
 *
 * @param state before the event
 */
export function isAuthentic(
  deployment: Deployment,
  state: GatewayState,
  event: GatewayEvent,
): boolean {
  const check = checks[event.eventName] as
    ((deployment: Deployment, state: GatewayState, args: unknown) => boolean) | undefined;
  return check?.(deployment, state, event.args) ?? true;
}

type ArgsOf<Name> = Extract<GatewayEvent, { eventName: Name }>['args'];

/** By event: whether its ids are the hashes of its content, and new where an id comes once. */
const checks: {
  readonly [Name in GatewayEvent['eventName']]?: (
    deployment: Deployment,
    state: GatewayState,
    args: ArgsOf<Name>,
  ) => boolean;
} = {
  // The contract registers an address once, for ever, and lets nobody have another's signer or peer id.
  OperatorRegistered(_, { operators }, { operator, signer, peerId }) {
    if (operators.has(operatorKey(operator))) return false;
    return [...operators.values()].every(
      (other) => other.peerId !== peerId && !isAddressEqual(other.signer, signer),
    );
  },
  EpochProposed(deployment, { proposals }, args) {
    return idOfProposal(deployment, args) === args.proposalId && !proposals.has(args.proposalId);
  },
  EpochFrozen: isFrozenAsDealt,
  KeyRequested(deployment, _, args) {
    return idOfKey(deployment, args) === args.keyId;
  },
  EvaluationKeysRequested(deployment, _, args) {
    const kind = evaluationKeyKindOf(args.kind);
    return (
      kind !== undefined &&
      evaluationKeysRequestId(deployment, { ...args, kind }) === args.requestId
    );
  },
  CrsRequested(deployment, { ceremonies }, args) {
    const { ceremonyId } = args;
    return idOfCeremony(deployment, args) === ceremonyId && isNew(ceremonies.get(ceremonyId));
  },
  ParameterSetAdded(_, { parameterSets }, { parameterSetId, set }) {
    return idOfSet(set) === parameterSetId && !parameterSets.has(parameterSetId);
  },
  CiphertextRegistered(deployment, { ciphertexts }, args) {
    const origin = originOf(args.origin);
    return (
      origin !== undefined &&
      ciphertextHandle(deployment, { ...args, origin }) === args.handle &&
      !ciphertexts.has(args.handle)
    );
  },
  PublicDecryptionRequested(deployment, { requests }, args) {
    const { requestId } = args;
    return (
      publicDecryptionRequestId(deployment, args) === requestId && isNew(requests.get(requestId))
    );
  },
  UserDecryptionRequested(deployment, { userDecryptions }, args) {
    const { requestId } = args;
    return (
      userDecryptionRequestId(deployment, args) === requestId &&
      isNew(userDecryptions.get(requestId))
    );
  },
};

/** True unless a request waits for its answer or has it: the contract says first that it expired. */
function isNew(present: { readonly state: string } | undefined): boolean {
  return present === undefined || present.state === 'expired';
}

/** True if the epoch's ids follow from the proposal's signers and from the roots that were posted. */
function isFrozenAsDealt(
  { chainId, addresses }: Deployment,
  state: GatewayState,
  frozen: { proposalId: Hex; epochId: Hex; setupDigest: Hex; standingBitmap: bigint },
): boolean {
  const proposal = state.proposals.get(frozen.proposalId);
  if (proposal === undefined || proposal.phase !== 'proposed') return false;
  const { signers, roots } = proposal;
  const standing = indicesOf(frozen.standingBitmap);
  const standingRoots = standing.map((dealer) => roots.get(dealer));
  if (!standingRoots.every((root) => root !== undefined)) return false;
  try {
    const committee = committeeOf(signers.length);
    const digest = setupDigest(committee, frozen.proposalId, standing, standingRoots);
    const { epochManager } = addresses;
    const id = idOfEpoch({ chainId, epochManager, signers, setupDigest: digest });
    return digest === frozen.setupDigest && id === frozen.epochId;
  } catch (error) {
    // A committee size or a set of dealers that no contract accepts.
    if (isKeyloomError(error)) return false;
    throw error;
  }
}
