import { encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';

import { isKeyloomError } from '../errors.ts';
import { committeeOf } from '../sharing/committee.ts';
import { epochId as idOfEpoch, setupDigest } from '../sharing/setup.ts';
import type { Deployment } from './client.ts';
import type { GatewayEvent } from './events.ts';
import { indicesOf, type GatewayState } from './state.ts';

const layouts = {
  proposalId: parseAbiParameters('uint256, address, address[], address[], bytes32'),
  keyId: parseAbiParameters('uint256, address, bytes32, bytes32, address, bytes32'),
  parameterSetId: parseAbiParameters('string, uint32, uint64, uint64[]'),
  handle: parseAbiParameters('uint256, address, bytes32, bytes32'),
};

/**
 * True unless an event gives an id another meaning than the one it is a hash of.
 *
 * Whom an operator believes follows from ids: an epoch's id stands for its signers, a handle for a
 * digest. An RPC endpoint can invent logs at any time, after 2t+1 operators have agreed on a request
 * as well as before; so the contracts' hashes are computed again here, and an id that is known keeps
 * its meaning for ever. What is left to an endpoint is to withhold, and to invent what nobody else
 * sees.
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
  EpochProposed({ chainId, addresses }, { proposals }, args) {
    const { proposalId, operators, signers, salt } = args;
    const content = [chainId, addresses.epochManager, operators, signers, salt] as const;
    const id = keccak256(encodeAbiParameters(layouts.proposalId, content));
    return id === proposalId && !proposals.has(proposalId);
  },
  EpochFrozen: isFrozenAsDealt,
  KeyRequested({ chainId, addresses }, _, args) {
    const { keyId, epochId, parameterSetId, requester, label } = args;
    const { keyManager } = addresses;
    const content = [chainId, keyManager, epochId, parameterSetId, requester, label] as const;
    return keyId === keccak256(encodeAbiParameters(layouts.keyId, content));
  },
  ParameterSetAdded(_, { parameterSets }, { parameterSetId, set }) {
    const { name, degree, plainModulus, primes } = set;
    const content = [name, degree, plainModulus, primes] as const;
    const id = keccak256(encodeAbiParameters(layouts.parameterSetId, content));
    return id === parameterSetId && !parameterSets.has(id);
  },
  CiphertextRegistered({ chainId, addresses }, { ciphertexts }, { handle, keyId, digest }) {
    const content = [chainId, addresses.ciphertextRegistry, keyId, digest] as const;
    const id = keccak256(encodeAbiParameters(layouts.handle, content));
    return id === handle && !ciphertexts.has(handle);
  },
};

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
