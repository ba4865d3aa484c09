import type { Hex } from 'viem';

import { requestedAs, type CiphertextEntry, type KeyEntry } from '../../chain/state.ts';
import { isKeyloomError, type KeyloomError } from '../../errors.ts';
import { holdCeremony } from '../ceremony/ceremony.ts';
import { parametersOf } from '../chain-view/parameter-sets.ts';
import { agreeOnBlock } from '../chain-view/views.ts';
import { indexIn } from '../committee/membership.ts';
import type { Seat } from '../committee/seat.ts';
import { isEnded } from '../committee/seats.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { measured } from '../observing.ts';
import type { RequestProgress } from '../progress.ts';
import { isBeforeRestore } from '../restored.ts';
import { decryptPublicly } from './decryption-job.ts';
import { generateEvaluationKeys } from './evaluation-key-job.ts';
import type { Job } from './jobs.ts';
import { fetchInputs } from './inputs.ts';
import { generateKey } from './key-job.ts';
import { lateRequests, whileItCounts } from './late.ts';
import type { Slots } from './slots.ts';
import type { DutySources } from './sources.ts';
import { decryptForUser } from './user-decryption-job.ts';

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
  /** What comes before that: others may take their time with it. */
  readonly fetch?: (seat: Seat, signal: AbortSignal) => Promise<void>;
  readonly work: (seat: Seat, signal: AbortSignal) => Promise<void>;
}

/**
 * Jobs for everything that is asked for and not recorded, in the chain's order, and then for what is
 * late: others have answered it, and this operator is still paid for its result.
 */
export function* requestJobs(sources: DutySources): Generator<Job> {
  const { context, chain } = sources;
  if (context.damages.isSigningUnsafe) return;
  const late = lateRequests(sources);
  for (const id of context.progress.unsettled()) {
    const state = requestedAs(chain.now, id)?.state;
    if (state === undefined || state === 'pending' || late.has(id)) continue;
    context.progress.advance(id, state === 'expired' ? 'expired' : 'recorded');
  }
  for (const id of [...chain.pending, ...late]) {
    const request = requestOf(sources, id);
    if (request !== undefined) yield* serve(sources, request);
  }
}

/** What an id asks for, and how it is served. */
function requestOf(sources: DutySources, id: Hex): Request | undefined {
  const { context, chain, keyShares } = sources;
  const { requestSlots, evaluationSlots } = context;
  const key = chain.now.keys.get(id);
  if (key !== undefined)
    return {
      ...{ ...key, id, kind: 'key', slots: requestSlots },
      work: async (seat, signal) =>
        generateKey(context, seat, keyShares, key, parametersOf(chain, key).set, signal),
    };
  const evaluationKeys = chain.now.evaluationKeys.get(id);
  if (evaluationKeys !== undefined)
    return {
      ...{ ...evaluationKeys, id, kind: 'evaluation-keys', slots: evaluationSlots },
      work: async (seat, signal) => {
        const { keyId, targetKeyId = keyId } = evaluationKeys;
        const source = activeKeyOf(sources, evaluationKeys, keyId);
        // Both secrets of a switching key are shared by this committee, in one ring.
        const target = activeKeyOf(sources, evaluationKeys, targetKeyId);
        if (target.parameterSetId !== source.parameterSetId)
          throw unservable('a switching key leads to a key of the same parameter set');
        const { set } = parametersOf(chain, source);
        await generateEvaluationKeys(context, seat, keyShares, evaluationKeys, set, signal);
      },
    };
  const ceremony = chain.now.ceremonies.get(id);
  if (ceremony !== undefined)
    return {
      ...{ ...ceremony, id, kind: 'ceremony', slots: context.ceremonySlots },
      work: (seat, signal) =>
        holdCeremony({ context, chain, seat, ceremonyId: id, made: new Map() }, signal),
    };
  const request = chain.now.requests.get(id);
  if (request !== undefined)
    return {
      ...{ ...request, id, kind: 'decryption', slots: requestSlots },
      fetch: async (seat, signal) => {
        const { set } = parametersOf(chain, keyOf(sources, request, request.keyId));
        const inputs = ciphertextsOf(sources, request);
        await fetchInputs(context, seat, inputs, undefined, set, signal);
      },
      work: async (seat, signal) => {
        const { set } = parametersOf(chain, keyOf(sources, request, request.keyId));
        const inputs = ciphertextsOf(sources, request);
        await decryptPublicly(context, seat, keyShares, request, inputs, set, signal);
      },
    };
  const userDecryption = chain.now.userDecryptions.get(id);
  if (userDecryption === undefined) return undefined;
  return {
    ...{ ...userDecryption, id, kind: 'user-decryption', slots: requestSlots },
    fetch: async (seat, signal) => {
      const { set } = parametersOf(chain, keyOf(sources, userDecryption, userDecryption.keyId));
      const inputs = ciphertextsOf(sources, userDecryption);
      await fetchInputs(context, seat, inputs, userDecryption.publicKeyDigest, set, signal);
    },
    work: async (seat, signal) => {
      const { set } = parametersOf(chain, keyOf(sources, userDecryption, userDecryption.keyId));
      const inputs = ciphertextsOf(sources, userDecryption);
      await decryptForUser(context, seat, keyShares, userDecryption, inputs, set, signal);
    },
  };
}

/** The job of a request: fetch its inputs, agree on its block, then work, for as long as it counts. */
function* serve(sources: DutySources, request: Request): Generator<Job> {
  const { id, kind, epochId, height, deadline, slots, fetch, work } = request;
  const { context, chain, seats } = sources;
  const epoch = chain.now.epochs.get(epochId);
  if (epoch === undefined || indexIn(epoch, context.account.address) === undefined) return;
  if (isEnded(epoch)) return;
  const isLate = (): boolean => chain.now.escrowed.get(id)?.answer !== undefined;
  if (!isLate() && Number(deadline) * 1_000 <= Date.now()) {
    context.progress.advance(id, 'expired');
    return;
  }
  context.progress.begin(id, kind);
  if (isBeforeRestore(context.store, request)) {
    const why = 'this operator was restored from a backup after the request';
    context.progress.trouble(id, OperatorErrorCode.REQUESTED_BEFORE_RESTORE, why);
    return;
  }
  const prepare = async (signal: AbortSignal): Promise<Seat> => {
    const seat = await seats.ready(epochId, signal);
    if (fetch !== undefined) await measured(context, id, 'load', () => fetch(seat, signal));
    return seat;
  };
  const perform = async (seat: Seat, signal: AbortSignal): Promise<void> => {
    await measured(context, id, 'agree', () =>
      agreeOnBlock(context, seat, chain.block(height)!, signal, {
        onWaiting: (indices) => context.progress.waitFor(id, indices),
        onOutvoted: () => sources.reread(height),
      }),
    );
    await work(seat, signal);
  };
  const inTime = async (signal: AbortSignal): Promise<void> => {
    // Without a place: an epoch that this operator cannot serve must not keep others waiting, nor
    // must inputs that a peer pretends to be sending.
    const seat = await prepare(signal);
    await slots.run(signal, () => perform(seat, signal));
  };
  // After a restart there may be very many that are late: all that they do takes a place.
  const latePlaces = kind === 'evaluation-keys' ? slots : context.lateSlots;
  const late = async (signal: AbortSignal): Promise<void> => perform(await prepare(signal), signal);
  yield {
    id: `${kind}/${id}/${height}`,
    run: async (stop) => {
      const state = context.progress.get(id)?.state;
      // It is over already, and no block has come since to take it off the list.
      if (state === 'recorded' || state === 'expired') return;
      try {
        const isDone = isLate()
          ? await latePlaces.run(stop, () => whileItCounts(sources, request, stop, late))
          : await whileItCounts(sources, request, stop, inTime);
        // Others had recorded it before: no block may come to say so.
        if (isLate()) context.progress.advance(id, 'recorded');
        else if (!isDone) {
          context.progress.advance(id, 'expired');
          context.log.warn({ id, progress: context.progress.get(id) }, 'request expired');
        }
      } catch (error) {
        if (!stop.aborted) noteTrouble(context, id, error);
        throw error;
      } finally {
        context.boards.shares.release(id);
        context.boards.results.release(id);
      }
    },
  };
}

/** Notes why a request does not go on, for people to see. */
function noteTrouble({ progress }: OperatorContext, id: Hex, error: unknown): void {
  const known = isKeyloomError(error) ? error : undefined;
  const isFinal = known?.code === OperatorErrorCode.REQUEST_UNSERVABLE;
  progress.trouble(id, known?.code ?? 'UNEXPECTED', isFinal ? reasonOf(known) : undefined);
}

/** A key that evaluation keys are made for, if it can still be used: new ones of a retired key serve nobody. */
function activeKeyOf(sources: DutySources, request: { epochId: Hex }, keyId: Hex): KeyEntry {
  const key = keyOf(sources, request, keyId);
  if (key.state === 'active') return key;
  throw unservable('evaluation keys are made for active keys only');
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

/** Why a request cannot be served, for people; with the code of what was found. */
function reasonOf({ message, metadata }: KeyloomError): string {
  return metadata['cause'] === undefined ? message : `${message} (${String(metadata['cause'])})`;
}
