import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { ReadStream } from 'node:tty';

import { assertPrivate } from '../store/private-files.ts';
import { OperatorError, OperatorErrorCode } from './errors.ts';

const VARIABLE = 'KEYLOOM_PASSPHRASE';

/** What a terminal sends. */
const Key = { interrupt: '\u0003', endOfInput: '\u0004', enter: '\r', newline: '\n' } as const;
const ERASERS: readonly string[] = ['\u0008', '\u007f'];

/** Where a passphrase may be asked for. */
export interface Terminal {
  readonly input: Pick<ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
  readonly output: { write(text: string): unknown };
}

const standard: Terminal = { input: process.stdin, output: process.stderr };

/**
 * The passphrase: from a file, or else from the environment, or else typed at a terminal, where nothing
 * of it is shown. Never an argument: those are everybody's to read.
 *
 * @param options.isNew it is asked for twice, since nothing would tell of a mistake
 * @throws OperatorError PASSPHRASE_MISSING; StoreError READABLE_BY_OTHERS
 */
export async function readPassphrase(
  file: string | undefined,
  options: { isNew?: boolean; terminal?: Terminal } = {},
): Promise<string> {
  const { isNew = false, terminal = standard } = options;
  const given = givenPassphrase(file);
  if (given !== undefined) return given;
  if (!terminal.input.isTTY)
    throw missing(`give --passphrase-file, set ${VARIABLE}, or start this at a terminal`);
  const typed = await ask(terminal, 'Passphrase: ');
  if (typed === '') throw missing('the passphrase is empty');
  if (isNew && (await ask(terminal, 'Again: ')) !== typed)
    throw missing('the two passphrases differ');
  return typed;
}

/** The passphrase from a file or the environment; undefined if neither has one. */
export function givenPassphrase(file: string | undefined): string | undefined {
  const variable = process.env[VARIABLE];
  // No child process or crash report needs it.
  delete process.env[VARIABLE];
  if (file === undefined) return variable === '' ? undefined : variable;
  assertPrivate(file, 'passphrase');
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trimEnd();
  } catch (cause) {
    throw missing('the passphrase file cannot be read', cause);
  }
  if (content === '') throw missing('the passphrase file is empty');
  return content;
}

/** Reads a line without echo. @throws OperatorError PASSPHRASE_MISSING if it is abandoned */
function ask({ input, output }: Terminal, question: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed = '';
  const take = (data: Buffer | string): void => {
    for (const key of data.toString()) {
      if (key === Key.enter || key === Key.newline) return resolve(typed);
      if (key === Key.interrupt || key === Key.endOfInput)
        return reject(missing('no passphrase was typed'));
      typed = ERASERS.includes(key) ? [...typed].slice(0, -1).join('') : typed + key;
    }
  };
  // Before the question: what is typed as soon as it appears is not to be seen either.
  input.setRawMode(true);
  output.write(question);
  input.on('data', take);
  input.resume();
  return promise.finally(() => {
    input.off('data', take);
    input.pause();
    input.setRawMode(false);
    output.write('\n');
  });
}

const missing = (message: string, cause?: unknown): OperatorError =>
  new OperatorError(OperatorErrorCode.PASSPHRASE_MISSING, message, { cause });
