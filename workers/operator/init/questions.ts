import process from 'node:process';
import { createInterface } from 'node:readline/promises';

import { OperatorError, OperatorErrorCode } from '../errors.ts';

/** Asks a person and returns what was typed. */
export type Ask = (question: string) => Promise<string>;

/** Asks at the terminal; undefined where there is none. */
export function atTerminal(): Ask | undefined {
  if (!process.stdin.isTTY) return undefined;
  return async (question) => {
    using lines = createInterface({ input: process.stdin, output: process.stderr });
    return lines.question(question);
  };
}

/** What is wanted: the name of the option that gives it, and the question for it. */
export type Wanted<Name extends string> = readonly [name: Name, question: string];

/**
 * Asks for everything that is wanted, in order, until it is given.
 *
 * @throws OperatorError INIT_INCOMPLETE, which names all of the options, if nobody can be asked
 */
export async function askFor<Name extends string>(
  wanted: readonly Wanted<Name>[],
  ask: Ask | undefined,
): Promise<Partial<Record<Name, string>>> {
  const answers: Partial<Record<Name, string>> = {};
  if (wanted.length === 0) return answers;
  if (ask === undefined)
    throw new OperatorError(
      OperatorErrorCode.INIT_INCOMPLETE,
      `give ${wanted.map(([name]) => `--${name}`).join(', ')}, or start this at a terminal to be asked`,
    );
  for (const [name, question] of wanted) {
    let answer = '';
    while (answer === '') answer = (await ask(`${question}: `)).trim();
    answers[name] = answer;
  }
  return answers;
}
