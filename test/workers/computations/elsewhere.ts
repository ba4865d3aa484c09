import { parentPort } from 'node:worker_threads';
import { evaluate } from '../../../workers/computations/evaluate.ts';
import { parseProgram } from '../../../workers/computations/format.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import type { Input } from './scene.ts';

// Computes in a thread or in a process of its own what it is told to.

/** A computation that can be sent. */
export interface Task {
  readonly set: string;
  readonly program: Uint8Array;
  readonly inputs: readonly Input[];
  readonly resultKey: Input['keyId'];
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

export const computeTask = ({ set, program, inputs, resultKey, entries }: Task): Uint8Array =>
  evaluate(parameterSet(set), parseProgram(program), {
    inputs,
    resultKey,
    entryOf: (key) => entries.get(JSON.stringify(key))!,
  });

if (parentPort !== null) {
  const port = parentPort;
  port.once('message', (task: Task) => port.postMessage(computeTask(task)));
} else {
  process.once('message', (task: Task) =>
    process.send!(computeTask(task), () => process.disconnect()),
  );
}
