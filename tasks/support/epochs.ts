import { parseEventLogs, type Address, type Hex } from 'viem';

import { poll } from '../../sdk/polling.ts';
import { epochManagerAbi, operatorRegistryAbi } from '../../workers/chain/abi.ts';
import { committeeOf, isCommitteeSize, type Committee } from '../../workers/sharing/committee.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { operatorWatch, unansweredWait, type Member } from './operators.ts';
import { progressReporter, type WaitOptions } from './waiting.ts';
import { send } from './transactions.ts';

/** Phases by their number on chain. */
export const EPOCH_PHASES = [
  'None',
  'Proposed',
  'Frozen',
  'Active',
  'Retired',
  'Abandoned',
] as const;
export type EpochPhase = (typeof EPOCH_PHASES)[number];

/** A committee on its way to an epoch. Lists of indices are committee indices, ascending. */
export interface Proposal {
  proposalId: Hex;
  phase: EpochPhase;
  /** Unix seconds after which the proposal can be abandoned unless it is active. */
  deadline: number;
  /** Undefined until the set-up is frozen. */
  epochId: Hex | undefined;
  committee: Committee;
  operators: readonly Address[];
  signers: readonly Address[];
  dealt: number[];
  /** Dealers with a quorum of acknowledgements. */
  standing: number[];
}

/** A committee whose set-up is frozen. */
export interface Epoch {
  epochId: Hex;
  proposalId: Hex;
  setupDigest: Hex;
  phase: EpochPhase;
  committee: Committee;
  operators: readonly Address[];
  signers: readonly Address[];
  /** Indices of the members that confirmed to hold their keys. */
  confirmed: number[];
}

/**
 * Proposes a committee; committee index i is the i-th operator. Governance.
 * @returns the proposal's id
 */
export async function proposeEpoch(
  gateway: Gateway,
  options: { operators: readonly Address[]; salt: Hex },
): Promise<Hex> {
  const address = gateway.addresses.epochManager;
  const receipt = await send(gateway, {
    address,
    abi: epochManagerAbi,
    functionName: 'proposeEpoch',
    args: [options.operators, options.salt],
  });
  const [proposed] = parseEventLogs({
    abi: epochManagerAbi,
    eventName: 'EpochProposed',
    logs: receipt.logs.filter((log) => log.address.toLowerCase() === address.toLowerCase()),
  });
  if (proposed === undefined)
    throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the proposal left no event');
  return proposed.args.proposalId;
}

/** A proposal as the chain has it. @throws ClientError `UNKNOWN_EPOCH`, `RESULT_MISMATCH` */
export async function proposalOf(gateway: Gateway, proposalId: Hex): Promise<Proposal> {
  const found = await gateway.client.readContract({
    address: gateway.addresses.epochManager,
    abi: epochManagerAbi,
    functionName: 'proposal',
    args: [proposalId],
  });
  const phase = phaseOf(found.phase);
  if (phase === 'None') throw unknown('proposal', proposalId);
  const committee = committeeIn('proposal', proposalId, found);
  const indices = found.operators.map((_, position) => position + 1);
  return {
    proposalId,
    phase,
    deadline: Number(found.deadline),
    epochId: /^0x0+$/.test(found.epochId) ? undefined : found.epochId,
    committee,
    operators: found.operators,
    signers: found.signers,
    dealt: indices.filter((index) => !/^0x0+$/.test(found.roots[index - 1])),
    standing: indices.filter(
      (index) => indicesIn(found.acknowledgements[index - 1]).length >= committee.quorum,
    ),
  };
}

/** An epoch as the chain has it. @throws ClientError `UNKNOWN_EPOCH`, `RESULT_MISMATCH` */
export async function epochOf(gateway: Gateway, epochId: Hex): Promise<Epoch> {
  const found = await gateway.client.readContract({
    address: gateway.addresses.epochManager,
    abi: epochManagerAbi,
    functionName: 'epoch',
    args: [epochId],
  });
  const phase = phaseOf(found.phase);
  if (phase === 'None') throw unknown('epoch', epochId);
  return {
    epochId,
    proposalId: found.proposalId,
    setupDigest: found.setupDigest,
    phase,
    committee: committeeIn('epoch', epochId, found),
    operators: found.operators,
    signers: found.signers,
    confirmed: indicesIn(found.confirmations),
  };
}

/** All proposals, oldest first. */
export async function listProposals(gateway: Gateway): Promise<Proposal[]> {
  const events = await eventsOf(gateway, {
    address: gateway.addresses.epochManager,
    abi: epochManagerAbi,
    eventName: 'EpochProposed',
  });
  return Promise.all(events.map(({ args }) => proposalOf(gateway, args.proposalId)));
}

/** The epoch that was proposed last among the active ones. @throws ClientError `EPOCH_NOT_ACTIVE` */
export async function latestActiveEpoch(gateway: Gateway): Promise<Epoch> {
  const proposals = await listProposals(gateway);
  const active = proposals.findLast(({ phase }) => phase === 'Active');
  if (active?.epochId !== undefined) return epochOf(gateway, active.epochId);
  throw new ClientError(ClientErrorCode.EPOCH_NOT_ACTIVE, 'no epoch is active', {
    advice: 'Propose one with `kms epoch propose`, or look at `kms epoch list`.',
  });
}

/** The committee of an epoch or proposal with the endpoints its members have registered. */
export async function membersOf(
  gateway: Gateway,
  group: Pick<Epoch, 'operators' | 'signers'>,
): Promise<Member[]> {
  return Promise.all(
    group.operators.map(async (operator, position) => {
      const { endpoint } = await gateway.client.readContract({
        address: gateway.addresses.operatorRegistry,
        abi: operatorRegistryAbi,
        functionName: 'getOperator',
        args: [operator],
      });
      return { index: position + 1, operator, signer: group.signers[position], endpoint };
    }),
  );
}

/**
 * Waits until a proposed committee has finished its set-up.
 * @throws ClientError `EPOCH_NOT_ACTIVE` once it cannot become active any more, `TOO_FEW_OPERATORS`,
 * `WAIT_TIMED_OUT`, `UNKNOWN_EPOCH`
 */
export async function waitForEpoch(
  gateway: Gateway,
  proposalId: Hex,
  options: WaitOptions,
): Promise<Epoch> {
  const report = progressReporter(options.onProgress);
  const first = await proposalOf(gateway, proposalId);
  const members = await membersOf(gateway, first);
  const watch = operatorWatch(members, first.committee.quorum, { failFast: options.failFast });
  return poll(
    async () => {
      const proposal = await proposalOf(gateway, proposalId);
      const epoch =
        proposal.epochId === undefined ? undefined : await epochOf(gateway, proposal.epochId);
      report(proposal.phase, progressText(proposal, epoch));
      if (epoch?.phase === 'Active') return epoch;
      if (proposal.phase === 'Retired' || proposal.phase === 'Abandoned')
        throw new ClientError(
          ClientErrorCode.EPOCH_NOT_ACTIVE,
          `proposal ${proposalId} is ${proposal.phase.toLowerCase()}`,
          { advice: 'Propose a committee again with another --salt.', metadata: { proposalId } },
        );
      await watch();
      return undefined;
    },
    options,
    () => unansweredWait(members, first.committee.quorum, 'the set-up is not complete yet'),
  );
}

function progressText(proposal: Proposal, epoch: Epoch | undefined): string {
  const { n, quorum } = proposal.committee;
  if (epoch?.phase === 'Active')
    return `active: ${epoch.confirmed.length} of ${n} operators hold their keys`;
  if (epoch !== undefined)
    return `set-up frozen; ${epoch.confirmed.length} of ${quorum} needed operators hold their keys`;
  if (proposal.dealt.length < quorum)
    return `proposed; ${proposal.dealt.length} of ${quorum} needed operators have dealt`;
  return `${proposal.dealt.length} operators have dealt; ${proposal.standing.length} of ${quorum} needed dealings are acknowledged`;
}

/** Committee indices of the bits set. */
export function indicesIn(bitmap: bigint): number[] {
  const indices: number[] = [];
  for (let index = 1; bitmap >> BigInt(index - 1) !== 0n; index++)
    if ((bitmap >> BigInt(index - 1)) & 1n) indices.push(index);
  return indices;
}

/**
 * The committee of these signers. Only they are part of an epoch's id: were the operators counted, an
 * RPC endpoint could make a committee smaller, and so its quorum.
 */
function committeeIn(
  what: string,
  id: Hex,
  { operators, signers }: Pick<Epoch, 'operators' | 'signers'>,
): Committee {
  const n = signers.length;
  if (operators.length === n && isCommitteeSize(n)) return committeeOf(n);
  throw new ClientError(
    ClientErrorCode.RESULT_MISMATCH,
    `${what} ${id} cannot have ${operators.length} operators and ${n} signers`,
    { advice: 'Ask another RPC endpoint.', metadata: { id } },
  );
}

const phaseOf = (phase: number): EpochPhase => EPOCH_PHASES[phase] ?? 'None';

const unknown = (what: string, id: Hex): ClientError =>
  new ClientError(ClientErrorCode.UNKNOWN_EPOCH, `there is no ${what} ${id}`, {
    advice: '`kms epoch list` shows what there is.',
    metadata: { id },
  });
