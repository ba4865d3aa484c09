import { zeroHash, type Address, type Hex } from 'viem';

import { CONFIRMATION_PATIENCE_MS, fetchBlob } from '../../sdk/index.ts';
import { powersFileLimit } from '../../workers/ceremony/file.ts';
import { stateHash, type PowersState } from '../../workers/ceremony/state.ts';
import { crsManagerAbi, slashingManagerAbi } from '../../workers/chain/abi.ts';
import { ceremonyId as idOf } from '../../workers/chain/ids.ts';
import { epochOf, membersOf } from './epochs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { sendPaid } from './payments.ts';
import { waitForResult } from './results.ts';
import { send, walletOf, type Refusal } from './transactions.ts';
import type { WaitOptions } from './waiting.ts';

/** Phases of a ceremony by their number on chain. */
export const CEREMONY_PHASES = [
  ...(['None', 'Contributing', 'Closing', 'Beacon', 'Final'] as const),
  ...(['Recorded', 'Revoked', 'Expired'] as const),
] as const;
export type CeremonyPhase = (typeof CEREMONY_PHASES)[number];

/** What is asked of a committee. */
export interface CrsRequest {
  epochId: Hex;
  /** The string has 2^power powers. */
  power: number;
  slotSeconds: number;
  /** How often the beacon is hashed, as a power of two; 0 for no beacon. */
  beaconIterationsExp: number;
  /** Tells ceremonies of one requester apart. */
  salt: Hex;
}

/** A contribution that stands. */
export interface RecordedContribution {
  /** Committee index; 0 for the beacon. */
  index: number;
  state: PowersState;
  stateHash: Hex;
  transactionHash: Hex;
}

/** A ceremony as the chain has it. */
export interface Ceremony extends Omit<CrsRequest, 'salt'> {
  ceremonyId: Hex;
  requester: Address;
  phase: CeremonyPhase;
  /** Unix seconds until which it can be finished; once it is, until which operators can attest. */
  deadline: number;
  /** Committee index of the member whose slot runs, and Unix seconds until which; undefined if none does. */
  slot: { index: number; until: number } | undefined;
  /** Unix seconds at which the challenge window ends; undefined while slots run. */
  closesAt: number | undefined;
  /** Members whose contribution was proven wrong, as a bitmap. */
  excluded: number;
  /** The block hash, once drawn. */
  beacon: Hex | undefined;
  /** Oldest first. */
  contributions: RecordedContribution[];
}

/**
 * Asks an epoch's committee for powers of tau. What is already asked for, or there, is not asked for
 * again: the id is a hash of the request.
 *
 * @param onProgress told of a deposit for the fee
 * @throws ClientError `INVALID_ARGUMENT`, `EPOCH_NOT_ACTIVE`, `FEE_UNAFFORDABLE`
 */
export async function requestCrs(
  gateway: Gateway,
  request: CrsRequest,
  onProgress?: (text: string) => void,
): Promise<{ ceremonyId: Hex; requested: boolean }> {
  const requester = walletOf(gateway).account.address;
  const ceremonyId = idOf(gateway, { ...request, requester });
  const { phase } = await viewOf(gateway, ceremonyId);
  if (phase !== 'None' && phase !== 'Expired') return { ceremonyId, requested: false };
  const { epochId, power, slotSeconds, beaconIterationsExp, salt } = request;
  await sendPaid(
    gateway,
    {
      ...{ ...managerOf(gateway), functionName: 'requestCrs' },
      args: [epochId, power, slotSeconds, beaconIterationsExp, salt],
    },
    (refusal) => explained(refusal, epochId),
    onProgress,
  );
  return { ceremonyId, requested: true };
}

/** All ceremonies ever requested, oldest first. */
export async function listCeremonies(gateway: Gateway): Promise<Ceremony[]> {
  const events = await eventsOf(gateway, { ...managerOf(gateway), eventName: 'CrsRequested' });
  const ids = new Set(events.map(({ args }) => args.ceremonyId));
  return Promise.all([...ids].map((id) => ceremonyOf(gateway, id)));
}

/** A ceremony as the chain has it. @throws ClientError `UNKNOWN_ID`, `RESULT_MISMATCH` */
export async function ceremonyOf(gateway: Gateway, ceremonyId: Hex): Promise<Ceremony> {
  const manager = managerOf(gateway);
  const args = { ceremonyId };
  const [requested] = await eventsOf(gateway, { ...manager, eventName: 'CrsRequested', args });
  if (requested === undefined)
    throw new ClientError(ClientErrorCode.UNKNOWN_ID, `there is no ceremony ${ceremonyId}`, {
      advice: '`kms crs status` lists those there are.',
      metadata: { ceremonyId },
    });
  const [view, chain, slot, events] = await Promise.all([
    viewOf(gateway, ceremonyId),
    gateway.client.readContract({
      ...{ ...manager, functionName: 'contributions', args: [ceremonyId] },
    }),
    gateway.client.readContract({ ...{ ...manager, functionName: 'slotOf', args: [ceremonyId] } }),
    eventsOf(gateway, { ...manager, eventName: 'ContributionRecorded', args }),
  ]);
  const recorded = new Map(events.map((event) => [stateHash(event.args.next), event]));
  const contributions = chain.map(({ index, stateHash: hash }) => {
    const event = recorded.get(hash);
    if (event === undefined)
      throw new ClientError(
        ClientErrorCode.RESULT_MISMATCH,
        'the logs do not hold a contribution that the contract has',
        { advice: 'Ask another RPC endpoint.', metadata: { ceremonyId, stateHash: hash } },
      );
    const { args: content, transactionHash } = event;
    return { index, state: content.next, stateHash: hash, transactionHash };
  });
  const { epochId, power, slotSeconds, beaconIterationsExp, requester } = requested.args;
  const [index, until] = slot;
  return {
    ...{ ceremonyId, epochId, power, slotSeconds, beaconIterationsExp, requester },
    ...{ phase: view.phase, deadline: Number(view.deadline), excluded: view.excluded },
    slot: index === 0 ? undefined : { index, until: Number(until) },
    closesAt: view.closesAt === 0n ? undefined : Number(view.closesAt),
    beacon: view.beacon === zeroHash ? undefined : view.beacon,
    contributions,
  };
}

/**
 * Waits until a ceremony is recorded.
 * @throws ClientError `REQUEST_EXPIRED`, `TOO_FEW_OPERATORS`, `WAIT_TIMED_OUT`, `UNKNOWN_ID`,
 * `CRS_UNUSABLE` if it was revoked
 */
export async function waitForCrs(
  gateway: Gateway,
  ceremonyId: Hex,
  options: WaitOptions,
): Promise<Ceremony> {
  const { epochId } = await ceremonyOf(gateway, ceremonyId);
  return waitForResult(
    gateway,
    {
      ...{ id: ceremonyId, epochId, what: `ceremony ${ceremonyId}` },
      advice: 'Ask for the same again with longer slots, or of another epoch.',
      done: 'the common reference string is recorded',
      async read() {
        const { phase, deadline } = await viewOf(gateway, ceremonyId);
        if (phase === 'Recorded') return { result: await ceremonyOf(gateway, ceremonyId) };
        if (phase === 'Revoked') throw unusable(ceremonyId, phase);
        return { deadline: Number(deadline) };
      },
    },
    options,
  );
}

/**
 * Has the first contribution taken away whose state was proven wrong, with all behind it; a recorded
 * ceremony is revoked.
 * @returns its position, from 0; undefined if there is none
 */
export async function rollBack(
  gateway: Gateway,
  { ceremonyId, phase, contributions }: Ceremony,
): Promise<number | undefined> {
  const wrong = await Promise.all(
    contributions.map(({ stateHash: hash }) =>
      gateway.client.readContract({
        ...{ address: gateway.slashingManager, abi: slashingManagerAbi },
        ...{ functionName: 'isWrongState', args: [hash] },
      }),
    ),
  );
  const position = wrong.indexOf(true);
  if (position < 0 || phase === 'Revoked') return undefined;
  await send(gateway, {
    ...{ ...managerOf(gateway), functionName: 'rollBack' },
    args: [ceremonyId, BigInt(position)],
  });
  return position;
}

/** Seconds that a slot should have for a power: several times what two cores take, and the transfer. */
export function slotSecondsFor(power: number): number {
  return Math.max(60, 2 ** (power - 8));
}

/** The last contribution of a ceremony that is recorded. @throws ClientError `CRS_UNUSABLE` */
export function finalContribution(ceremony: Ceremony): RecordedContribution {
  if (ceremony.phase !== 'Recorded') throw unusable(ceremony.ceremonyId, ceremony.phase);
  return latestContribution(ceremony);
}

/** The last contribution so far. @throws ClientError `CRS_UNUSABLE` if there is none */
export function latestContribution({
  ceremonyId,
  phase,
  contributions,
}: Ceremony): RecordedContribution {
  const last = contributions.at(-1);
  if (last === undefined) throw unusable(ceremonyId, phase);
  return last;
}

/**
 * The file of a contribution from the committee's operators, whose SHA-256 is the one on chain.
 * @throws SdkError `BLOB_UNAVAILABLE`
 */
export async function downloadPowers(
  gateway: Gateway,
  { epochId, power }: Ceremony,
  { state }: RecordedContribution,
): Promise<Uint8Array> {
  const members = await membersOf(gateway, await epochOf(gateway, epochId));
  return fetchBlob(
    members.map(({ endpoint }) => endpoint),
    state.digest,
    { maxBytes: powersFileLimit(power), patienceMs: CONFIRMATION_PATIENCE_MS },
  );
}

function unusable(ceremonyId: Hex, phase: CeremonyPhase): ClientError {
  return new ClientError(
    ClientErrorCode.CRS_UNUSABLE,
    phase === 'Revoked'
      ? `ceremony ${ceremonyId} was revoked: one of its contributions was proven wrong`
      : `ceremony ${ceremonyId} is not recorded: it is ${phase.toLowerCase()}`,
    {
      advice: phase === 'Revoked' ? 'Use another one.' : '`kms crs status ID` shows how far it is.',
      metadata: { ceremonyId, phase },
    },
  );
}

async function viewOf(gateway: Gateway, ceremonyId: Hex) {
  const { phase, ...view } = await gateway.client.readContract({
    ...{ ...managerOf(gateway), functionName: 'ceremony', args: [ceremonyId] },
  });
  return { ...view, phase: CEREMONY_PHASES[phase] ?? 'None' };
}

const managerOf = ({ addresses }: Gateway) =>
  ({ address: addresses.crsManager, abi: crsManagerAbi }) as const;

/** Why a request is refused. */
function explained({ errorName, args }: Refusal, epochId: Hex): ClientError | undefined {
  const invalid = (message: string, advice?: string): ClientError =>
    new ClientError(ClientErrorCode.INVALID_ARGUMENT, message, { ...(advice && { advice }) });
  const [value, minimum, maximum] = args.map(String);
  switch (errorName) {
    case 'CrsManagerPower':
      return invalid(`the power must be ${minimum} to ${maximum}, not ${value}`);
    case 'CrsManagerSlotSeconds':
      return invalid(`a slot has ${minimum} to ${maximum} seconds, not ${value}`);
    case 'CrsManagerBeaconIterations':
      return invalid(`a beacon is hashed 2^${minimum} to 2^${maximum} times, not 2^${value}`);
    case 'CrsManagerWindow':
      return invalid(
        `the slots and what follows need ${value} s, and a request has ${minimum} s to be answered`,
        'Ask for shorter slots.',
      );
    case 'EpochManagerEpochPhase':
      return new ClientError(ClientErrorCode.EPOCH_NOT_ACTIVE, `epoch ${epochId} is not active`, {
        advice: '`kms epoch list` shows which one is.',
        metadata: { epochId },
      });
    default:
      return undefined;
  }
}
