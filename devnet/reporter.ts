import { writeFileSync } from 'node:fs';
import { styleText } from 'node:util';

import { table } from '../tasks/output.ts';
import { isKeyloomError } from '../workers/errors.ts';
import { formatDuration } from './format.ts';

export interface StepRecord {
  name: string;
  milliseconds: number;
  result: string;
}

/** What a step may say while it runs. */
export interface StepReport {
  /** A line that shows that something moves; on a terminal the next one replaces it. */
  readonly progress: (line: string) => void;
  /** What came out, in one line. */
  readonly result: (line: string) => void;
}

/** Tells a person at a terminal, or a log, what happens, why, and how long it took. */
export class Reporter {
  readonly records: StepRecord[] = [];
  readonly #output: NodeJS.WriteStream;
  readonly #started = performance.now();

  constructor(output: NodeJS.WriteStream = process.stdout) {
    this.#output = output;
  }

  title(text: string): void {
    this.#line(`\n${this.#style('bold', text)}`);
  }

  text(text: string): void {
    this.#line(text);
  }

  /** Runs one step: prints its name and `why`, then its progress, then its result and duration. */
  async step<T>(name: string, why: string, run: (report: StepReport) => Promise<T>): Promise<T> {
    const started = performance.now();
    const number = String(this.records.length + 1).padStart(2);
    this.#line(`\n${number}. ${this.#style('bold', name)}`);
    if (why !== '') this.#line(`    ${this.#style('dim', why)}`);
    let result = 'done';
    const finish = (outcome: string) => {
      const milliseconds = performance.now() - started;
      this.records.push({ name, milliseconds: Math.round(milliseconds), result: outcome });
      return formatDuration(milliseconds);
    };
    try {
      const value = await run({
        progress: (line) => this.#progress(line),
        result: (line) => {
          result = line;
        },
      });
      this.#clearProgress();
      const duration = finish(result);
      this.#line(`    ${this.#style('green', '✓')} ${result} (${duration})`);
      return value;
    } catch (error) {
      this.#clearProgress();
      const code = isKeyloomError(error) ? error.code : 'unexpected error';
      this.#line(`    ${this.#style('red', '✗')} ${code} (${finish(`failed: ${code}`)})`);
      throw error;
    }
  }

  /** All steps in a table, and how long everything took. */
  summary(): void {
    this.title('Summary');
    const rows = this.records.map(({ name, milliseconds, result }) => [
      name,
      formatDuration(milliseconds),
      result,
    ]);
    const total = ['total', formatDuration(this.#elapsed()), ''];
    for (const line of table([['step', 'time', 'result'], ...rows, total])) this.#line(line);
  }

  writeJson(file: string, ok: boolean): void {
    const report = { ok, milliseconds: Math.round(this.#elapsed()), steps: this.records };
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  }

  #elapsed(): number {
    return performance.now() - this.#started;
  }

  #progress(line: string): void {
    const text = `    · ${line}`;
    if (this.#output.isTTY)
      this.#output.write(`\r\x1b[2K${text.slice(0, this.#output.columns - 1)}`);
    else this.#line(text);
  }

  #clearProgress(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[2K');
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`);
  }

  #style(format: 'bold' | 'dim' | 'green' | 'red', text: string): string {
    return styleText(format, text, { stream: this.#output });
  }
}
