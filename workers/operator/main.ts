#!/usr/bin/env node
import process from 'node:process';
import { parseArgs } from 'node:util';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { bytesToHex } from 'viem';

import { isKeyloomError } from '../errors.ts';
import { generatePeerKey, peerIdOf, peerIdToBytes } from '../net/host/index.ts';
import { createIdentity } from '../store/keystore.ts';
import { runBackup } from './backup.ts';
import { loadConfig } from './config/config.ts';
import type { Answering } from './context.ts';
import { asText, examine } from './doctor/doctor.ts';
import { OperatorError, OperatorErrorCode } from './errors.ts';
import { startOperator } from './operator.ts';
import { readPassphrase } from './passphrase.ts';

const usage = `keyloom-operator: one member of a threshold key management committee

  keyloom-operator init --identity FILE [--passphrase-file FILE]
      creates the operator's signer and libp2p keys in one encrypted file
      and prints what to register on chain

  keyloom-operator run --config FILE [--passphrase-file FILE]
      runs the operator until SIGINT or SIGTERM

  keyloom-operator doctor --config FILE [--passphrase-file FILE] [--json]
      checks a configuration and what is around it, and says what to fix;
      the exit code is 1 if there is a problem

  keyloom-operator backup create --config FILE --to AGE_RECIPIENT [--to ...] --out FILE
  keyloom-operator backup verify --identity AGE_IDENTITY_FILE --in FILE
  keyloom-operator backup restore --identity AGE_IDENTITY_FILE --in FILE --into FOLDER
      keeps and restores identity, shares and journals, encrypted in the age format;
      create may run beside the operator. With --passphrase-file or KEYLOOM_PASSPHRASE
      the other two check as well that the passphrase opens the identity

The passphrase is read from --passphrase-file, or else from KEYLOOM_PASSPHRASE, or else
asked for at the terminal.
docs/operator.md explains the configuration.
`;

async function init(identity: string, passphrase: string): Promise<void> {
  const signerKey = generatePrivateKey();
  const peerKey = await generatePeerKey();
  await createIdentity(identity, passphrase, { signerKey, peerKey });
  const peerId = peerIdOf(peerKey);
  const line = {
    signer: privateKeyToAddress(signerKey),
    peerId,
    peerIdBytes: bytesToHex(peerIdToBytes(peerId)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function run(file: string, passphrase: string, answering?: Answering): Promise<void> {
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
  const checks = await examine(file, () => readPassphrase(passphraseFile));
  process.stdout.write(asJson ? `${JSON.stringify({ checks })}\n` : asText(checks));
  return checks.some(({ status }) => status === 'problem') ? 1 : 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
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
  try {
    const { positionals, values } = parse(args);
    const [command, ...rest] = positionals;
    if (values.help === true) {
      process.stdout.write(usage);
      return 0;
    }
    const passphraseFile = values['passphrase-file'];
    if (command === 'init' && values.identity !== undefined && rest.length === 0)
      await init(values.identity, await readPassphrase(passphraseFile, { isNew: true }));
    else if (command === 'run' && values.config !== undefined && rest.length === 0)
      await run(values.config, await readPassphrase(passphraseFile), answering);
    else if (command === 'doctor' && values.config !== undefined && rest.length === 0)
      return await doctor(values.config, passphraseFile, values.json === true);
    else if (command !== 'backup' || rest.length !== 1 || !(await runBackup(rest[0], values)))
      throw new OperatorError(OperatorErrorCode.USAGE, usage);
    return 0;
  } catch (error) {
    const code = isKeyloomError(error) ? error.code : 'UNEXPECTED';
    const message = error instanceof Error ? error.message : String(error);
    if (code === OperatorErrorCode.STOPPED) return 0;
    process.stderr.write(`${JSON.stringify({ level: 'fatal', code, msg: message })}\n`);
    if (code === 'UNEXPECTED') process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
