#!/usr/bin/env node
import process from 'node:process';
import { parseArgs } from 'node:util';

import { isKeyloomError } from '../errors.ts';
import { runBackup } from './backup.ts';
import { loadConfig } from './config/config.ts';
import type { Answering } from './context.ts';
import { asText, examine } from './doctor/doctor.ts';
import { OperatorError, OperatorErrorCode } from './errors.ts';
import { runInit } from './init/init.ts';
import { startOperator } from './operator.ts';
import { readPassphrase } from './passphrase.ts';
import { usage } from './usage.ts';

async function start(file: string, passphrase: string, answering?: Answering): Promise<void> {
  const config = loadConfig(file);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const { signal } = interrupted;
  const operator = await startOperator(config, passphrase, {
    signal,
    ...(answering && { answering }),
  });
  try {
    await Promise.race([
      operator.ended,
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    ]);
  } finally {
    await operator.stop();
  }
}

/** @returns the exit code */
async function doctor(
  file: string,
  passphraseFile: string | undefined,
  asJson: boolean,
): Promise<number> {
  const checks = await examine(
    file,
    () => readPassphrase(passphraseFile),
    (check) => void (asJson || process.stdout.write(asText(check))),
  );
  if (asJson) process.stdout.write(`${JSON.stringify({ checks })}\n`);
  return checks.some(({ status }) => status === 'problem') ? 1 : 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        folder: { type: 'string' },
        rpc: { type: 'string', multiple: true },
        gateway: { type: 'string' },
        host: { type: 'string' },
        endpoint: { type: 'string' },
        'p2p-port': { type: 'string' },
        'http-port': { type: 'string' },
        'metrics-port': { type: 'string' },
        identity: { type: 'string' },
        config: { type: 'string' },
        'passphrase-file': { type: 'string' },
        to: { type: 'string', multiple: true },
        out: { type: 'string' },
        in: { type: 'string' },
        into: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (cause) {
    // Without what was given: somebody may have typed a secret.
    throw new OperatorError(OperatorErrorCode.USAGE, usage, { cause });
  }
}

/**
 * The command line.
 *
 * @param answering of a malicious twin; the honest operator has none
 * @returns the exit code
 */
export async function main(args: readonly string[], answering?: Answering): Promise<number> {
  let command: string | undefined;
  try {
    const { positionals, values } = parse(args);
    const [first, ...rest] = positionals;
    command = first;
    if (values.help === true) {
      process.stdout.write(usage);
      return 0;
    }
    const passphraseFile = values['passphrase-file'];
    if (command === 'init' && values.folder !== undefined && rest.length === 0)
      await runInit(values.folder, values, passphraseFile);
    else if (command === 'start' && values.config !== undefined && rest.length === 0)
      await start(values.config, await readPassphrase(passphraseFile), answering);
    else if (command === 'doctor' && values.config !== undefined && rest.length === 0)
      return await doctor(values.config, passphraseFile, values.json === true);
    else if (command !== 'backup' || rest.length !== 1 || !(await runBackup(rest[0], values)))
      throw new OperatorError(OperatorErrorCode.USAGE, usage);
    return 0;
  } catch (error) {
    const code = isKeyloomError(error) ? error.code : 'UNEXPECTED';
    if (code === OperatorErrorCode.STOPPED) return 0;
    const message = error instanceof Error ? error.message : String(error);
    // What runs as a service has a log for programs; people read the rest.
    const line =
      command === 'start' && code !== OperatorErrorCode.USAGE
        ? JSON.stringify({ level: 'fatal', code, msg: message })
        : `${code}: ${message}`;
    process.stderr.write(`${line}\n`);
    if (code === 'UNEXPECTED') process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
