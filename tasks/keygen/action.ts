import { writeFile } from 'node:fs/promises';
import type { Hex } from 'viem';

import type { ParameterSet } from '../../sdk/index.ts';
import { entryLength } from '../../workers/fhe/evaluation-keys.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import type { EvaluationKeyRequest } from '../../workers/protocols/evaluation-keys.ts';
import { idOf, invalidArgument, required, setOf, stepsOf, timeoutOf } from '../arguments.ts';
import { action, type TaskContext } from '../run.ts';
import { epochOf, latestActiveEpoch, membersOf } from '../support/epochs.ts';
import {
  nameOf,
  requestEvaluationKeys,
  waitForEvaluationKeys,
  type RecordedKeys,
} from '../support/evaluation-keys.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import type { WaitOptions } from '../support/waiting.ts';
import type { KeygenArguments } from './index.ts';

/** `kms keygen` */
export default action<KeygenArguments>(async (args, { gateway, progress }) => {
  const set = setOf(args.set);
  const label = labelOf(required(args.label, '--label'));
  const timeoutMs = timeoutOf(args.timeout);
  const elements = elementsOf(set, args.galois);
  const epoch =
    args.epoch === undefined
      ? await latestActiveEpoch(gateway)
      : await epochOf(gateway, idOf(args.epoch, '--epoch'));
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const waiting = { timeoutMs, failFast: !args.force, onProgress: progress.onProgress };
  const start = performance.now();
  const onProgress = (text: string): void => progress.say(text);
  const asked = { epochId: epoch.epochId, set, label, onProgress };
  const { keyId, requested } = await requestKey(gateway, asked);
  progress.say(requested ? `requested key ${keyId}` : `key ${keyId} has been requested before`);
  const key = await waitForKey(gateway, keyId, waiting);
  const milliseconds = Math.round(performance.now() - start);
  progress.say('downloading the public key and checking it against the chain');
  const publicKey = await downloadPublicKey(gateway, keyId);
  if (args.out !== undefined) await writeFile(args.out, publicKey);
  const wanted: EvaluationKeyRequest[] = [
    ...(args.relin ? [{ kind: 'relinearization', keyId } as const] : []),
    ...(elements === undefined ? [] : [{ kind: 'galois', keyId, elements } as const]),
  ];
  const evaluationKeys = await evaluationKeysMade({ gateway, progress }, wanted, waiting);
  return {
    json: {
      keyId,
      epochId: epoch.epochId,
      parameterSet: set.name,
      digest: key.digest,
      requested,
      milliseconds,
      bytes: publicKey.length,
      file: args.out,
      evaluationKeys: evaluationKeys.map(({ requestId, kind, entries, milliseconds }) => ({
        ...{ requestId, kind, entries, milliseconds },
      })),
    },
    lines: [
      `key ${keyId} is active (${set.name}, ${milliseconds} ms)`,
      `public key: ${publicKey.length} bytes, SHA-256 ${key.digest} as on chain`,
      ...(args.out === undefined ? [] : [`written to ${args.out}`]),
      ...evaluationKeys.map(
        (keys) =>
          `${nameOf(keys)}: ${sizeOf(set, keys)}, recorded (${keys.milliseconds} ms, request ${keys.requestId})`,
      ),
      ...(evaluationKeys.length === 0 ? [] : [`get them with \`kms key download ${keyId}\``]),
    ],
  };
});

/** Asks for all first and then waits for one after the other: operators work on all of them. */
async function evaluationKeysMade(
  { gateway, progress }: TaskContext,
  wanted: readonly EvaluationKeyRequest[],
  options: WaitOptions,
): Promise<(RecordedKeys & { milliseconds: number })[]> {
  const start = performance.now();
  const ids: Hex[] = [];
  for (const request of wanted) {
    const { requestId, requested } = await requestEvaluationKeys(gateway, request, (text) =>
      progress.say(text),
    );
    progress.say(
      requested
        ? `requested ${request.kind} keys ${requestId}`
        : `${request.kind} keys ${requestId} have been requested before`,
    );
    ids.push(requestId);
  }
  const made: (RecordedKeys & { milliseconds: number })[] = [];
  for (const requestId of ids) {
    const keys = await waitForEvaluationKeys(gateway, requestId, options);
    made.push({ ...keys, milliseconds: Math.round(performance.now() - start) });
  }
  return made;
}

function elementsOf(set: ParameterSet, steps: string | undefined): number[] | undefined {
  if (steps === undefined) return undefined;
  if (!set.batching) throw invalidArgument(`plaintexts of ${set.name} have no slots to rotate`);
  return galoisElements(set.degree, stepsOf(steps, '--galois'));
}

const sizeOf = (set: ParameterSet, { entries }: RecordedKeys): string =>
  `${((entries.length * entryLength(set)) / 1e6).toFixed(1)} MB`;
