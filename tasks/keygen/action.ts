import { writeFile } from 'node:fs/promises';

import { idOf, required, setOf, timeoutOf } from '../arguments.ts';
import { action } from '../run.ts';
import { epochOf, latestActiveEpoch, membersOf } from '../support/epochs.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import type { KeygenArguments } from './index.ts';

/** `kms keygen` */
export default action<KeygenArguments>(async (args, { gateway, progress }) => {
  const set = setOf(args.set);
  const label = labelOf(required(args.label, '--label'));
  const timeoutMs = timeoutOf(args.timeout);
  const epoch =
    args.epoch === undefined
      ? await latestActiveEpoch(gateway)
      : await epochOf(gateway, idOf(args.epoch, '--epoch'));
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const start = performance.now();
  const { keyId, requested } = await requestKey(gateway, { epochId: epoch.epochId, set, label });
  progress.say(requested ? `requested key ${keyId}` : `key ${keyId} has been requested before`);
  const key = await waitForKey(gateway, keyId, {
    timeoutMs,
    failFast: !args.force,
    onProgress: progress.onProgress,
  });
  const milliseconds = Math.round(performance.now() - start);
  progress.say('downloading the public key and checking it against the chain');
  const publicKey = await downloadPublicKey(gateway, keyId);
  if (args.out !== undefined) await writeFile(args.out, publicKey);
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
    },
    lines: [
      `key ${keyId} is active (${set.name}, ${milliseconds} ms)`,
      `public key: ${publicKey.length} bytes, SHA-256 ${key.digest} as on chain`,
      ...(args.out === undefined ? [] : [`written to ${args.out}`]),
    ],
  };
});
