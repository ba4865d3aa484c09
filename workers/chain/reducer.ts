import { zeroHash, type Hex } from 'viem';
import type { GatewayEvent } from './events.ts';
import {
  evaluationKeyKindOf,
  indicesOf,
  operatorKey,
  type EpochEntry,
  type EpochPhase,
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
    operators.set(operatorKey(operator), { ...entry, state: 'bonded' });
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
  KeyRequested({ keys }, { keyId, epochId, parameterSetId, requester, deadline }, height) {
    keys.set(keyId, {
      ...{ keyId, epochId, parameterSetId, requester, deadline, height },
      state: 'pending',
      digest: undefined,
    });
  },
  PublicKeyRecorded({ keys }, { keyId, digest }) {
    assign(keys, keyId, { state: 'active', digest });
  },
  KeyRetired({ keys }, { keyId }) {
    assign(keys, keyId, { state: 'retired' });
  },

  EvaluationKeysRequested({ evaluationKeys }, args, height) {
    const { requestId, epochId, keyId, elements, requester, deadline } = args;
    const kind = evaluationKeyKindOf(args.kind);
    if (kind === undefined) return;
    evaluationKeys.set(requestId, {
      ...{ requestId, epochId, keyId, kind, elements, requester, deadline, height },
      targetKeyId: unlessZero(args.targetKeyId),
      state: 'pending',
      digests: undefined,
    });
  },
  EvaluationKeysRecorded({ evaluationKeys }, { requestId, digests }) {
    assign(evaluationKeys, requestId, { state: 'recorded', digests });
  },

  CiphertextRegistered({ ciphertexts }, args, height) {
    const { handle, keyId, digest, limbs, noiseBits, owner } = args;
    const origin = unlessZero(args.origin);
    ciphertexts.set(handle, { handle, keyId, digest, limbs, noiseBits, owner, origin, height });
  },

  PublicDecryptionRequested({ requests }, args, height) {
    const { requestId, epochId, keyId, handles, positions, requester, deadline } = args;
    requests.set(requestId, {
      ...{ requestId, epochId, keyId, handles, positions, requester, deadline, height },
      state: 'pending',
      result: undefined,
    });
  },
  PublicDecryptionResponded({ requests }, { requestId, result }) {
    assign(requests, requestId, { state: 'answered', result });
  },

  UserDecryptionRequested({ userDecryptions }, args, height) {
    const { requestId, epochId, keyId, handles, packed, requester, deadline } = args;
    const { user, publicKeyDigest } = args;
    userDecryptions.set(requestId, {
      ...{ requestId, epochId, keyId, handles, packed, user, publicKeyDigest, requester },
      ...{ deadline, height },
      state: 'pending',
      result: undefined,
    });
  },
  UserDecryptionResponded({ userDecryptions }, { requestId, result }) {
    assign(userDecryptions, requestId, { state: 'answered', result });
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
