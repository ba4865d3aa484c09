import { writeFile } from 'node:fs/promises';
import type { Hex } from 'viem';

import { idOf, invalidArgument, required, stepsOf } from '../arguments.ts';
import type { ProgressPrinter, TaskResult } from '../output.ts';
import { action } from '../run.ts';
import type { Gateway } from '../support/gateway.ts';
import { keyFileOf, writeKeyFile, type KeyFileContent } from '../support/key-files.ts';
import { downloadPublicKey, keyOf } from '../support/keys.ts';
import type { DownloadArguments } from './index.ts';

const PROGRESS_INTERVAL_MS = 1_000;

/** `kms key download` */
export default action<DownloadArguments>(async (args, { gateway, progress }) => {
  const keyId = idOf(args.id, 'the id');
  const out = required(args.out, '--out');
  const content = contentOf(args);
  return content === 'public'
    ? downloadPublic(gateway, keyId, out)
    : downloadEvaluationKeys(gateway, { keyId, content, out }, progress);
});

async function downloadPublic(gateway: Gateway, keyId: Hex, out: string): Promise<TaskResult> {
  const publicKey = await downloadPublicKey(gateway, keyId);
  await writeFile(out, publicKey);
  const { digest } = await keyOf(gateway, keyId);
  return {
    json: { keyId, kind: 'public', digest, bytes: publicKey.length, file: out },
    lines: [`public key: ${publicKey.length} bytes, SHA-256 ${digest} as on chain`, written(out)],
  };
}

async function downloadEvaluationKeys(
  gateway: Gateway,
  wanted: { keyId: Hex; content: KeyFileContent; out: string },
  progress: ProgressPrinter,
): Promise<TaskResult> {
  const { keyId, content, out } = wanted;
  const file = await keyFileOf(gateway, keyId, content);
  const { entries, length } = file;
  progress.say(`downloading ${entries.length} entries`);
  let toldAt = performance.now();
  await writeKeyFile(out, file, (bytes) => {
    if (performance.now() - toldAt < PROGRESS_INTERVAL_MS) return;
    toldAt = performance.now();
    progress.say(`written ${megabytes(bytes)} of ${megabytes(length)}`);
  });
  return {
    json: { keyId, kind: content.kind, entries, bytes: length, file: out },
    lines: [
      `${entries.length} entries, ${length} bytes; the SHA-256 of each is as on chain`,
      written(out),
    ],
  };
}

function contentOf(args: DownloadArguments): KeyFileContent | 'public' {
  const { steps, switchFrom } = args;
  const kinds = [args.public, args.relin, args.galois, switchFrom !== undefined];
  if (kinds.filter(Boolean).length !== 1)
    throw invalidArgument('give one of --public, --relin, --galois, --switch-from');
  if (steps !== undefined && !args.galois) throw invalidArgument('--steps goes with --galois');
  if (args.public) return 'public';
  if (args.relin) return { kind: 'relinearization' };
  if (switchFrom !== undefined)
    return { kind: 'switching', sourceKeyId: idOf(switchFrom, '--switch-from') };
  return { kind: 'galois', ...(steps === undefined ? {} : { steps: stepsOf(steps, '--steps') }) };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const written = (file: string): string => `written to ${file}`;
