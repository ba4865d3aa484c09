import type { ErrorMetadata, KeyloomError } from '../workers/errors.ts';
import { hexToString, size, trim, type Hex } from 'viem';

import { AdvisedError } from '../sdk/errors.ts';
import type { Progress } from './support/waiting.ts';

const HEARTBEAT_MS = 5_000;

/** What a task leaves: a document for programs and lines for people. */
export interface TaskResult {
  json: Record<string, unknown>;
  lines: string[];
  /** What the task was to find out, and found wrong: the exit code is 1. */
  failure?: KeyloomError | undefined;
}

/** Writes a result to stdout; a failure that is part of it goes where failures go. */
export function printResult({ json, lines, failure }: TaskResult, asJson: boolean): void {
  const error = failure && { error: fieldsOf(failure) };
  if (asJson) return write(process.stdout, document({ ...json, ...error }));
  for (const line of lines) write(process.stdout, line);
  if (failure !== undefined) printFailure(failure, asJson);
}

/** Writes a failure: a document to stdout for programs, lines to stderr for people. */
export function printFailure(error: KeyloomError, asJson: boolean): void {
  if (asJson) return write(process.stdout, document({ error: fieldsOf(error) }));
  const { code, message, advice, metadata } = fieldsOf(error);
  write(process.stderr, `${code}: ${message}`);
  const detail = advice ?? detailOf(metadata);
  if (detail !== '') write(process.stderr, `  ${detail}`);
}

/** Tells on stderr how a task gets on, with a sign of life while nothing changes. */
export class ProgressPrinter implements Disposable {
  readonly #start = performance.now();
  #latest = '';
  #heartbeat: NodeJS.Timeout | undefined;

  /** For {@link WaitOptions.onProgress}. */
  readonly onProgress = ({ text }: Progress): void => this.say(text);

  say(text: string): void {
    this.#latest = text;
    this.#write(text);
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#write(`still: ${this.#latest}`), HEARTBEAT_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
  }

  #write(text: string): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1).padStart(6);
    write(process.stderr, `${seconds} s  ${text}`);
  }
}

/** Rows as columns of equal width; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Indices as people read them: `1, 2, 4`, or `none`. */
export const listed = (indices: readonly number[]): string =>
  indices.length === 0 ? 'none' : indices.join(', ');

/** A vector as people read it: the values up to the last one that is not zero, at most `limit`. */
export function vector(values: readonly bigint[], limit = 16): string {
  const used = values.findLastIndex((value) => value !== 0n) + 1;
  const shown = values.slice(0, Math.min(used, limit)).join(', ');
  if (used === 0) return `0 in all ${values.length}`;
  if (used > limit) return `${shown}, … (${values.length} values)`;
  return used < values.length ? `${shown} (then ${values.length - used} zeros)` : shown;
}

/** A label as its requester wrote it. */
export function labelText(label: Hex): string {
  const text = trim(label, { dir: 'right' });
  return size(text) === 32 ? label : `"${hexToString(text)}"`;
}

/** An instant in Unix seconds as people read it. */
export const instant = (unixSeconds: number): string =>
  new Date(unixSeconds * 1000).toISOString().replace('.000Z', ' UTC').replace('T', ' ');

/** An error as programs get it. */
function fieldsOf(error: KeyloomError) {
  const { code, message, metadata, culprits } = error;
  const advice = error instanceof AdvisedError ? error.advice : undefined;
  return { code, message, advice, metadata, culprits };
}

/** What an error knows beside its message, where nobody has written an advice. */
const detailOf = (metadata: ErrorMetadata): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');

function document(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
}

/** Names and endpoints are strangers' text: nothing in them may steer a terminal. */
function write(stream: NodeJS.WriteStream, line: string): void {
  stream.write(`${line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�')}\n`);
}
