import { parentPort } from 'node:worker_threads';

import type {
  ThreadMessage,
  EncryptionTask,
} from '../../../../workers/operator/registration/verifier.ts';

// Stands in for the verifying thread, and does what a task's first byte of proof says.

let done = 0;

parentPort!.on('message', ({ proof }: EncryptionTask) => {
  const [conduct] = proof.proof;
  const say = (message: ThreadMessage): void => parentPort!.postMessage(message);
  if (conduct === 0) say({ kind: 'verified', limbs: ++done, noise: 1n, ciphertext: proof.proof });
  if (conduct === 1) process.exit(3);
  if (conduct === 2) for (;;);
  if (conduct === 3) throw new TypeError('unforeseen');
  if (conduct === 4) say({ kind: 'failed', message: 'out of memory' });
  if (conduct === 5) say({ kind: 'refused', code: 'WRONG', message: 'no', metadata: { at: 7 } });
});
