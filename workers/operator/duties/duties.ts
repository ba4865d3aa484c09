import type { Hex } from 'viem';

import type { CiphertextEntry, EpochEntry, KeyEntry } from '../../chain/state.ts';
import { isKeyloomError, type KeyloomError } from '../../errors.ts';
import { decryptionPlan } from '../../fhe/noise.ts';
import { parameterSets, type ParameterSet } from '../../ring/parameters.ts';
import { committeeOf } from '../../sharing/committee.ts';
import { parameterSetId } from '../../sharing/ids.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { decryptPublicly } from './decryption-job.ts';
import { generateEvaluationKeys } from './evaluation-key-job.ts';
import { decryptForUser } from './user-decryption-job.ts';
import type { Slots } from './slots.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Job } from './jobs.ts';
import { generateKey } from './key-job.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import { indexIn, membershipIn } from '../committee/membership.ts';
import type { RequestProgress } from '../progress.ts';
import type { Seat } from '../committee/seat.ts';
import { isEnded, type Seats } from '../committee/seats.ts';
import { completeSetUp, dealAndAcknowledge } from '../committee/set-up.ts';
import { agreeOnBlock } from '../chain-view/views.ts';

/** What the list of duties is made from. */
export interface DutySources {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seats: Seats;
  readonly keyShares: KeyShares;
  /** Reads the chain again from a height on. */
  readonly reread: (height: bigint) => void;
}

/**
 * Everything that the confirmed chain asks of this operator now.
 *
 * A job's id holds the height of the request's block, so a request that comes back in another block
 * after a reorganisation is another job.
 */
export function duties(sources: DutySources): Job[] {
  return [
    ...setUps(sources),
    ...erasures(sources),
    ...keyGenerations(sources),
    ...evaluationKeys(sources),
    ...decryptions(sources),
    ...userDecryptions(sources),
  ];
}

function* setUps({ context, chain, seats }: DutySources): Generator<Job> {
  const self = context.account.address;
  for (const proposal of chain.now.proposals.values()) {
    const membership = membershipIn(chain.now, proposal, self);
    if (membership === undefined || proposal.phase !== 'proposed') continue;
    const { proposalId, height } = proposal;
    yield {
      id: `deal/${proposalId}/${height}`,
      run: (signal) => dealAndAcknowledge(context, chain, membership, proposalId, signal),
    };
  }
  for (const epoch of chain.now.epochs.values()) {
    const membership = membershipIn(chain.now, epoch, self);
    if (membership === undefined || isEnded(epoch)) continue;
    if (epoch.confirmations.has(membership.index)) continue;
    yield {
      id: `set-up/${epoch.epochId}/${epoch.height}`,
      run: async (signal) => {
        await completeSetUp(context, membership, epoch, signal);
        seats.refresh();
      },
    };
  }
}

/** Secrets go for good, so not on the word of one endpoint: 2t+1 operators see the epoch ended. */
function* erasures({ context, chain, seats, reread }: DutySources): Generator<Job> {
  for (const epoch of chain.now.epochs.values()) {
    if (!isEnded(epoch) || !seats.hasSecrets(epoch)) continue;
    const { epochId, height } = epoch;
    yield {
      id: `erase/${epochId}/${height}`,
      run: async (signal) => {
        if (!seats.hasSecrets(epoch)) return;
        const place = await seats.place(epochId, signal);
        await agreeOnBlock(context, place, chain.block(height)!, signal, {
          onWaiting: () => undefined,
          onOutvoted: () => reread(height),
        });
        seats.erase(epoch);
      },
    };
  }
}

function* keyGenerations(sources: DutySources): Generator<Job> {
  const { context, chain, keyShares } = sources;
  for (const key of chain.now.keys.values()) {
    if (key.state === 'active') context.progress.advance(key.keyId, 'recorded');
    if (key.state !== 'pending') continue;
    const request = { ...key, id: key.keyId, kind: 'key', slots: context.requestSlots } as const;
    yield* serve(sources, request, (seat, signal) =>
      generateKey(context, seat, keyShares, key, setOf(sources, key), signal),
    );
  }
}

function* evaluationKeys(sources: DutySources): Generator<Job> {
  const { context, chain, keyShares } = sources;
  for (const entry of chain.now.evaluationKeys.values()) {
    if (entry.state === 'recorded') context.progress.advance(entry.requestId, 'recorded');
    if (entry.state !== 'pending') continue;
    const { requestId: id, targetKeyId } = entry;
    const request = {
      ...entry,
      id,
      kind: 'evaluation-keys',
      slots: context.evaluationSlots,
    } as const;
    yield* serve(sources, request, (seat, signal) => {
      const key = keyOf(sources, entry, entry.keyId);
      // Both secrets of a switching key are shared by this committee, in one ring.
      const target = targetKeyId === undefined ? key : keyOf(sources, entry, targetKeyId);
      if (target.parameterSetId !== key.parameterSetId)
        throw unservable('a switching key leads to a key of the same parameter set');
      const set = setOf(sources, key);
      return generateEvaluationKeys(context, seat, keyShares, entry, set, signal);
    });
  }
}

function* decryptions(sources: DutySources): Generator<Job> {
  const { context, chain, keyShares } = sources;
  for (const entry of chain.now.requests.values()) {
    if (entry.state === 'answered') context.progress.advance(entry.requestId, 'recorded');
    if (entry.state !== 'pending') continue;
    const { requestId: id, keyId } = entry;
    const request = { ...entry, id, kind: 'decryption', slots: context.requestSlots } as const;
    yield* serve(sources, request, (seat, signal) => {
      const set = setOf(sources, keyOf(sources, entry, keyId));
      const known = ciphertextsOf(sources, entry);
      return decryptPublicly(context, seat, keyShares, entry, known, set, signal);
    });
  }
}

function* userDecryptions(sources: DutySources): Generator<Job> {
  const { context, chain, keyShares } = sources;
  for (const entry of chain.now.userDecryptions.values()) {
    if (entry.state === 'answered') context.progress.advance(entry.requestId, 'recorded');
    if (entry.state !== 'pending') continue;
    const { requestId: id, keyId } = entry;
    const request = { ...entry, id, kind: 'user-decryption', slots: context.requestSlots } as const;
    yield* serve(sources, request, (seat, signal) => {
      const set = setOf(sources, keyOf(sources, entry, keyId));
      const known = ciphertextsOf(sources, entry);
      return decryptForUser(context, seat, keyShares, entry, known, set, signal);
    });
  }
}

/** The key of a request, if it is one of the request's epoch. */
function keyOf({ chain }: DutySources, { epochId }: { epochId: Hex }, keyId: Hex): KeyEntry {
  const key = chain.now.keys.get(keyId);
  if (key?.epochId === epochId) return key;
  throw unservable('the request names a key that the logs do not have in its epoch');
}

/** The ciphertexts of a request, if all of them are under its key. */
function ciphertextsOf(
  { chain }: DutySources,
  { handles, keyId }: { handles: readonly Hex[]; keyId: Hex },
): CiphertextEntry[] {
  return handles.map((handle) => {
    const entry = chain.now.ciphertexts.get(handle);
    if (entry?.keyId === keyId) return entry;
    throw unservable('the request names a ciphertext that the logs do not have under its key');
  });
}

const unservable = (why: string): OperatorError =>
  new OperatorError(OperatorErrorCode.REQUEST_UNSERVABLE, why);

/** What all requests have in common. */
interface Request {
  readonly id: Hex;
  readonly kind: RequestProgress['kind'];
  readonly epochId: Hex;
  readonly height: bigint;
  /** Timestamp in seconds. */
  readonly deadline: bigint;
  /** Where it waits for its turn. */
  readonly slots: Slots;
}

/** The job of a request: agree on its block, then work, until its deadline. */
function* serve(
  sources: DutySources,
  { id, kind, epochId, height, deadline, slots }: Request,
  work: (seat: Seat, signal: AbortSignal) => Promise<void>,
): Generator<Job> {
  const { context, chain, seats } = sources;
  const epoch = chain.now.epochs.get(epochId);
  if (epoch === undefined || indexIn(epoch, context.account.address) === undefined) return;
  if (isEnded(epoch)) return;
  const leftMs = (): number => Number(deadline) * 1_000 - Date.now();
  if (leftMs() <= 0) {
    context.progress.advance(id, 'expired');
    return;
  }
  context.progress.begin(id, kind);
  yield {
    id: `${kind}/${id}/${height}`,
    run: async (stop) => {
      // It is over already, and no block has come since to take it off the list.
      if (leftMs() <= 0) return;
      // Timers hold at most 2^31 - 1 ms; the contracts' windows are far shorter.
      const timeout = Math.min(leftMs(), 2 ** 31 - 1);
      const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)]);
      try {
        // Without a place: an epoch that this operator cannot serve must not keep others waiting.
        const seat = await seats.ready(epochId, signal);
        await slots.run(signal, async () => {
          await agreeOnBlock(context, seat, chain.block(height)!, signal, {
            onWaiting: (indices) => context.progress.waitFor(id, indices),
            onOutvoted: () => sources.reread(height),
          });
          await work(seat, signal);
        });
      } catch (error) {
        if (stop.aborted) throw error;
        if (!signal.aborted) {
          const known = isKeyloomError(error) ? error : undefined;
          const isFinal = known?.code === OperatorErrorCode.REQUEST_UNSERVABLE;
          context.progress.trouble(
            id,
            known?.code ?? 'UNEXPECTED',
            isFinal ? reasonOf(known) : undefined,
          );
          throw error;
        }
        context.progress.advance(id, 'expired');
        context.log.warn({ id, progress: context.progress.get(id) }, 'request expired');
      } finally {
        context.boards.shares.release(id);
        context.boards.results.release(id);
      }
    },
  };
}

/** Why a request cannot be served, for people; with the code of what was found. */
function reasonOf({ message, metadata }: KeyloomError): string {
  return metadata['cause'] === undefined ? message : `${message} (${String(metadata['cause'])})`;
}

/** The parameter set of a key, if it is known here and the chain says the same of it. */
function setOf({ chain }: DutySources, key: KeyEntry): ParameterSet {
  const entry = chain.now.parameterSets.get(key.parameterSetId);
  const epoch: EpochEntry | undefined = chain.now.epochs.get(key.epochId);
  const set = parameterSets.find((known) => parameterSetId(known) === key.parameterSetId);
  if (entry === undefined || epoch === undefined || set === undefined)
    throw new OperatorError(
      OperatorErrorCode.REQUEST_UNSERVABLE,
      'this operator does not know the parameter set',
      { metadata: { parameterSetId: key.parameterSetId, name: entry?.name } },
    );
  const committee = committeeOf(epoch.signers.length);
  const plan = decryptionPlan(set, committee);
  const { t } = committee;
  const same =
    entry.decryptionLimbs[t - 1] === plan.limbs &&
    entry.floodBits[t - 1] === plan.floodBits &&
    entry.maxNoiseBits[t - 1] === plan.maxNoiseBits &&
    entry.lambda === set.lambda;
  if (!same)
    throw new OperatorError(
      OperatorErrorCode.REQUEST_UNSERVABLE,
      'the decryption plan on chain is not the one computed here',
      { metadata: { set: set.name, n: committee.n, limbs: plan.limbs, floodBits: plan.floodBits } },
    );
  return set;
}
