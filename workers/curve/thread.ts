import { parentPort } from 'node:worker_threads';
import { perform } from './engine.ts';
import type { Task } from './tasks.ts';

// Entry of a thread of the pool: one answer per task, in order.

parentPort?.on('message', (task: Task) => {
  const answer = perform(task);
  parentPort?.postMessage(answer, typeof answer === 'number' ? [] : [answer.buffer]);
});
