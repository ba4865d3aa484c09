import { isAddressEqual, keccak256, zeroHash, type Address, type Hex } from 'viem';

import { originOf } from '../proofs/origins.ts';
import type { GatewayEvent } from './events.ts';
import {
  evaluationKeyKindOf,
  indicesOf,
  operatorKey,
  type EpochEntry,
  type EpochPhase,
  type EscrowEntry,
  type GatewayState,
} from './state.ts';

/** What each event does to the state. Those not named are the contracts' business alone. */
type Reducers = {
  [Event in GatewayEvent as Event['eventName']]?: (
    state: GatewayState,
    args: Event['args'],
    height: bigint,
  ) => void;
};

const reducers: Reducers = {
  OperatorRegistered({ operators }, { operator, signer, peerId, multiaddr, endpoint }, height) {
    const entry = { operator, signer, peerId, multiaddr, endpoint, height };
    operators.set(operatorKey(operator), { ...entry, state: 'bonded', removed: false });
  },
  EndpointsUpdated({ operators }, { operator, multiaddr, endpoint }, height) {
    assign(operators, operatorKey(operator), { multiaddr, endpoint, height });
  },
  UnbondingBegun({ operators }, { operator }) {
    assign(operators, operatorKey(operator), { state: 'unbonding' });
  },
  BondWithdrawn({ operators }, { operator }) {
    assign(operators, operatorKey(operator), { state: 'withdrawn' });
  },
  OperatorSlashed({ operators }, { operator }) {
    assign(operators, operatorKey(operator), { removed: true });
  },

  EpochProposed(state, { proposalId, operators, signers, deadline }, height) {
    state.proposals.set(proposalId, {
      ...{ proposalId, operators, signers, deadline, height },
      peerIds: operators.map((operator) => state.operators.get(operatorKey(operator))?.peerId),
      phase: 'proposed',
      roots: new Map(),
      acknowledgements: new Map(),
      epochId: undefined,
    });
  },
  DealingPosted({ proposals }, { proposalId, dealer, root }) {
    update(proposals, proposalId, ({ roots }) => ({ roots: new Map(roots).set(dealer, root) }));
  },
  DealingsAcknowledged({ proposals }, { proposalId, member, dealerBitmap }) {
    update(proposals, proposalId, ({ acknowledgements }) => {
      const acknowledged = (acknowledgements.get(member) ?? 0n) | dealerBitmap;
      return { acknowledgements: new Map(acknowledgements).set(member, acknowledged) };
    });
  },
  EpochFrozen({ proposals, epochs }, args, height) {
    const { proposalId, epochId, setupDigest } = args;
    const proposal = proposals.get(proposalId);
    if (proposal === undefined) return;
    proposals.set(proposalId, { ...proposal, phase: 'frozen', epochId });
    const standing = indicesOf(args.standingBitmap);
    epochs.set(epochId, {
      ...{ epochId, proposalId, setupDigest, standing, height },
      operators: proposal.operators,
      signers: proposal.signers,
      peerIds: proposal.peerIds,
      roots: new Map([...proposal.roots].filter(([dealer]) => standing.includes(dealer))),
      confirmations: new Set(),
      phase: 'frozen',
    });
  },
  EpochConfirmed({ epochs }, { epochId, member }) {
    update(epochs, epochId, ({ confirmations }) => ({
      confirmations: new Set(confirmations).add(member),
    }));
  },
  EpochActivated(state, { epochId }) {
    setPhase(state, epochId, 'active');
  },
  EpochRetired(state, { epochId }, height) {
    setPhase(state, epochId, 'retired', height);
  },
  ProposalAbandoned(state, { proposalId, epochId }, height) {
    setPhase(state, epochId, 'abandoned', height);
    assign(state.proposals, proposalId, { phase: 'abandoned' });
  },

  ParameterSetAdded({ parameterSets }, { parameterSetId, set }, height) {
    parameterSets.set(parameterSetId, { ...set, parameterSetId, height });
  },
  KeyRequested(state, { keyId, epochId, parameterSetId, requester, deadline }, height) {
    state.keys.set(keyId, {
      ...{ keyId, epochId, parameterSetId, requester, deadline, height },
      state: 'pending',
      digest: undefined,
    });
    escrow(state, { contract: 'keyManager', requestId: keyId, epochId, deadline, height });
  },
  PublicKeyRecorded(state, { keyId, digest, signerBitmap }) {
    assign(state.keys, keyId, { state: 'active', digest });
    answer(state, keyId, digest, signerBitmap);
  },
  KeyRetired({ keys }, { keyId }) {
    assign(keys, keyId, { state: 'retired' });
  },

  EvaluationKeysRequested(state, args, height) {
    const { requestId, epochId, keyId, elements, requester, deadline } = args;
    const kind = evaluationKeyKindOf(args.kind);
    if (kind === undefined) return;
    state.evaluationKeys.set(requestId, {
      ...{ requestId, epochId, keyId, kind, elements, requester, deadline, height },
      targetKeyId: unlessZero(args.targetKeyId),
      state: 'pending',
      digests: undefined,
    });
    escrow(state, { contract: 'evaluationKeyManager', requestId, epochId, deadline, height });
  },
  EvaluationKeysRecorded(state, { requestId, digests, signerBitmap }) {
    assign(state.evaluationKeys, requestId, { state: 'recorded', digests });
    answer(state, requestId, digests, signerBitmap);
  },

  CrsRequested(state, args, height) {
    const { ceremonyId: requestId, epochId, deadline } = args;
    const { power, slotSeconds, beaconIterationsExp, requester } = args;
    state.ceremonies.set(requestId, {
      ...{ requestId, epochId, power, slotSeconds, beaconIterationsExp, requester },
      ...{ deadline, height, state: 'pending', contributions: [], result: undefined },
    });
    escrow(state, { contract: 'crsManager', requestId, epochId, deadline, height });
  },
  ContributionRecorded({ ceremonies }, { ceremonyId, position, index, next }) {
    update(ceremonies, ceremonyId, ({ contributions }) => ({
      contributions: [...contributions.slice(0, position), { index, next }],
    }));
  },
  ContributionRolledBack({ ceremonies }, { ceremonyId, position }) {
    update(ceremonies, ceremonyId, ({ contributions }) => ({
      contributions: contributions.slice(0, position),
    }));
  },
  CrsRecorded(state, { ceremonyId, stateHash, signerBitmap }) {
    assign(state.ceremonies, ceremonyId, { state: 'recorded', result: stateHash });
    answer(state, ceremonyId, stateHash, signerBitmap);
  },
  CrsRevoked({ ceremonies }, { ceremonyId }) {
    assign(ceremonies, ceremonyId, { state: 'revoked' });
  },

  CiphertextRegistered({ ciphertexts }, args, height) {
    const { handle, keyId, digest, limbs, noiseBits, owner } = args;
    const origin = originOf(args.origin);
    if (origin === undefined) return;
    ciphertexts.set(handle, {
      ...{ handle, keyId, digest, limbs, noiseBits, owner, origin, height },
      proofDigest: unlessZero(args.proofDigest),
      source: unlessZero(args.source),
    });
  },

  PublicDecryptionRequested(state, args, height) {
    const { requestId, epochId, keyId, handles, positions, requester, deadline } = args;
    state.requests.set(requestId, {
      ...{ requestId, epochId, keyId, handles, positions, requester, deadline, height },
      state: 'pending',
      result: undefined,
    });
    escrow(state, { contract: 'decryptionGateway', requestId, epochId, deadline, height });
  },
  PublicDecryptionResponded(state, { requestId, result, signerBitmap }) {
    assign(state.requests, requestId, { state: 'answered', result });
    answer(state, requestId, result, signerBitmap);
  },

  UserDecryptionRequested(state, args, height) {
    const { requestId, epochId, keyId, handles, packed, requester, deadline } = args;
    const { user, publicKeyDigest } = args;
    state.userDecryptions.set(requestId, {
      ...{ requestId, epochId, keyId, handles, packed, user, publicKeyDigest, requester },
      ...{ deadline, height },
      state: 'pending',
      result: undefined,
    });
    escrow(state, { contract: 'decryptionGateway', requestId, epochId, deadline, height });
  },
  UserDecryptionResponded(state, { requestId, result, signerBitmap }) {
    assign(state.userDecryptions, requestId, { state: 'answered', result });
    answer(state, requestId, result, signerBitmap);
  },

  RequestsAttested(state, { requestIds, signer }) {
    for (const requestId of requestIds) attest(state, requestId, signer);
  },
  RequestsSettled({ escrowed }, { requestIds }) {
    for (const requestId of requestIds) escrowed.delete(requestId);
  },
  RequestExpired(state, { requestId }) {
    state.escrowed.delete(requestId);
    expire(state.keys, requestId);
    expire(state.evaluationKeys, requestId);
    expire(state.ceremonies, requestId);
    expire(state.requests, requestId);
    expire(state.userDecryptions, requestId);
  },
};

/**
 * Folds one event of the block at `height` into the state, which is mutated.
 *
 * Total: an event about something the fold has not seen changes nothing. Only an endpoint that
 * withheld a log makes one, and then the log digest keeps the operator from acting on it.
 */
export function apply(state: GatewayState, event: GatewayEvent, height: bigint): void {
  // Each reducer is declared with the arguments of its own event; the compiler cannot pair them up.
  const reduce = reducers[event.eventName] as
    ((state: GatewayState, args: unknown, height: bigint) => void) | undefined;
  reduce?.(state, event.args, height);
}

/** The fee of a request that was just made is in escrow. */
function escrow({ escrowed }: GatewayState, entry: Omit<EscrowEntry, 'answer'>): void {
  escrowed.set(entry.requestId, { ...entry, answer: undefined });
}

/** The result of a request was recorded with the signatures of these. */
function answer({ escrowed }: GatewayState, requestId: Hex, result: Hex, signers: bigint): void {
  assign(escrowed, requestId, { answer: { resultHash: keccak256(result), signers } });
}

/** One more member served a request that was answered. */
function attest({ escrowed, epochs }: GatewayState, requestId: Hex, signer: Address): void {
  const entry = escrowed.get(requestId);
  const position = epochs
    .get(entry?.epochId ?? zeroHash)
    ?.signers.findIndex((member) => isAddressEqual(member, signer));
  if (entry?.answer === undefined || position === undefined || position < 0) return;
  const signers = entry.answer.signers | (1n << BigInt(position));
  escrowed.set(requestId, { ...entry, answer: { ...entry.answer, signers } });
}

/** What is pending under an id is so no more. */
function expire<Entry extends { readonly state: string }>(
  entries: Map<Hex, Entry | (Entry & { readonly state: 'expired' })>,
  id: Hex,
): void {
  const entry = entries.get(id);
  if (entry?.state === 'pending') entries.set(id, { ...entry, state: 'expired' });
}

/** Undefined for the zero that stands for none on chain. */
function unlessZero(id: Hex): Hex | undefined {
  return id === zeroHash ? undefined : id;
}

/** Sets the phase of an epoch, since `height` if that asks something of operators, and of its proposal. */
function setPhase(
  { epochs, proposals }: GatewayState,
  epochId: EpochEntry['epochId'],
  phase: Exclude<EpochPhase, 'proposed'>,
  height?: bigint,
): void {
  const epoch = epochs.get(epochId);
  if (epoch === undefined) return;
  epochs.set(epochId, { ...epoch, phase, height: height ?? epoch.height });
  assign(proposals, epoch.proposalId, { phase });
}

/** Replaces fields of an entry by what `change` makes of it; nothing happens if there is none. */
function update<Id, Entry>(
  entries: Map<Id, Entry>,
  id: Id,
  change: (entry: Entry) => Partial<Entry>,
): void {
  const entry = entries.get(id);
  if (entry !== undefined) entries.set(id, { ...entry, ...change(entry) });
}

/** Replaces fields of an entry; nothing happens if there is none. */
function assign<Id, Entry>(entries: Map<Id, Entry>, id: Id, fields: Partial<NoInfer<Entry>>): void {
  update(entries, id, () => fields);
}
