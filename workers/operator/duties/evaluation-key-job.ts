import { concatBytes, hexToBytes, type Hex } from 'viem';

import { evaluationKeyManagerAbi } from '../../chain/abi.ts';
import type { EvaluationKeyEntry } from '../../chain/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { entryStart } from '../../fhe/evaluation-keys.ts';
import {
  entriesOf,
  openingBytes,
  type EvaluationKeyRequest,
  type KeyEntry,
} from '../../protocols/evaluation-keys.ts';
import type { Part } from '../../protocols/opening.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { BlobWriter } from '../../store/blobs.ts';
import { FIRST_GENERATION, type KeyShares } from '../committee/key-shares.ts';
import type { Seat } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { inOrder } from '../openings/in-order.ts';
import { Openers } from '../openings/openers.ts';
import { restoreShares } from '../openings/own-shares.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import type { Quorum } from './certify.ts';
import { servable } from './inputs.ts';
import { conclude } from './conclude.ts';

/** `EvaluationKeyState` of the contract. */
const PENDING = 1;

/** Digits that are opened at the same time: enough to hide the network, few enough for memory. */
const DIGITS_IN_FLIGHT = 4;

/**
 * Makes evaluation keys with the others and has the digests of their entries recorded.
 *
 * Entries grow digit by digit in a file each. A finished one is noted, so that after a crash the
 * operator goes on with the next. Transcripts are not as durable, so it first offers again what the
 * others may need of those it has finished.
 */
export async function generateEvaluationKeys(
  context: OperatorContext,
  seat: Seat,
  keyShares: KeyShares,
  entry: EvaluationKeyEntry,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, progress } = context;
  const { requestId } = entry;
  const { epochId } = seat.session;

  progress.advance(requestId, 'opening');
  const request = requestOf(entry);
  const entries = entriesOf(seat.session, request, set, () => FIRST_GENERATION);
  const isLarge = openingBytes(request, set) > context.largeOperationBytes;
  const secrets = secretsOf(seat, keyShares, set);
  const open = opensWith(
    context,
    seat,
    secrets,
    requestId,
    isLarge ? new Openers(seat, context.valuePatienceMs) : undefined,
  );

  const digests = await finishedEntries(context, requestId);
  const digitsOf = (some: readonly KeyEntry[]): number =>
    some.reduce((sum, { digits }) => sum + digits, 0);
  const total = digitsOf(entries);
  let done = digitsOf(entries.slice(0, digests.length));
  progress.count(requestId, done, total);
  for (const part of partsOf(requestId, entries.slice(0, digests.length)))
    await restoreShares(context, seat, requestId, part(), secrets, signal);
  const digits = inOrder(
    partsOf(requestId, entries.slice(digests.length)),
    DIGITS_IN_FLIGHT,
    (part, both) => runPart(part(), open, both),
    signal,
  );
  let writer: BlobWriter | undefined;
  try {
    for await (const digit of digits) {
      writer ??= await begin(context, set);
      await writer.append(digit);
      done += 1;
      progress.count(requestId, done, total);
      if (done < digitsOf(entries.slice(0, digests.length + 1))) continue;
      const digest = await writer.commit();
      writer = undefined;
      context.store.entries.record(requestId, digests.length, digest);
      digests.push(digest);
    }
  } finally {
    await writer?.abort();
  }

  const submit = (result: Hex, { signerBitmap, signatures }: Quorum) =>
    sender.submit(
      `evaluation-keys/${requestId}`,
      {
        address: gateway.addresses.evaluationKeyManager,
        abi: evaluationKeyManagerAbi,
        functionName: 'recordEvaluationKeys',
        args: [requestId, result, signerBitmap, signatures],
      },
      async () =>
        (await gateway.contracts.evaluationKeyManager.read.evaluationKeys([requestId])).state !==
        PENDING,
    );
  const statement = (result: Hex): Statement => ({
    type: 'Result',
    contract: 'evaluationKeyManager',
    message: { epochId, requestId, result },
  });
  const result = concatBytes(digests.map((digest) => hexToBytes(digest)));
  await conclude(context, seat, { id: requestId, result, statement, submit }, signal);
}

/** Digests of the entries that were finished before, from the first on, and are still there. */
async function finishedEntries({ store }: OperatorContext, requestId: Hex): Promise<Hex[]> {
  const finished: Hex[] = [];
  for (const digest of store.entries.list(requestId)) {
    if (!(await store.blobs.has(digest))) break;
    finished.push(digest);
  }
  return finished;
}

async function begin({ store }: OperatorContext, set: ParameterSet): Promise<BlobWriter> {
  const writer = await store.blobs.create();
  await writer.append(entryStart(set));
  return writer;
}

/** The parts that make the digits of the entries, one after the other. */
function* partsOf(requestId: Hex, entries: readonly KeyEntry[]): Generator<() => Part<Uint8Array>> {
  for (const entry of entries) {
    for (let digit = 0; digit < entry.digits; digit++)
      yield () => servable('no such keys can be made', { requestId }, () => entry.digit(digit));
  }
}

function requestOf(entry: EvaluationKeyEntry): EvaluationKeyRequest {
  const { kind, keyId, elements, targetKeyId, requestId } = entry;
  switch (kind) {
    case 'relinearization':
      return { kind, keyId };
    case 'galois':
      return { kind, keyId, elements };
    case 'switching':
      if (targetKeyId !== undefined) return { kind, keyId, targetKeyId };
      throw new OperatorError(
        OperatorErrorCode.REQUEST_UNSERVABLE,
        'a switching key leads to a key',
        { metadata: { requestId } },
      );
  }
}
