import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import type { Store } from '../../../workers/store/store.ts';
import { round } from './crash-round.ts';
import { temporaryStores } from './support.ts';

const { directory, open } = temporaryStores();

/** Runs the child until it has acknowledged `lines` lines, kills it, and gives all it said. */
async function runAndKill(path: string, first: number, lines: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), path, String(first)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  expect(await exited).toBe('SIGKILL');
  return said;
}

const checks: Record<string, (store: Store, i: number) => unknown> = {
  opening: (store, i) => expect(store.openings.root(round(i).id)).toBe(round(i).root),
  secret: (store, i) => expect(store.secrets.get(round(i).name)).toEqual(round(i).secret),
  block: (store, i) =>
    expect(store.blocks.below(round(i).block.height + 1n)).toEqual(round(i).block),
  transaction: (store, i) =>
    expect(store.transactions.pending().find(({ nonce }) => nonce === i)?.attempts).toEqual([
      round(i).attempt,
    ]),
  transcript: async (store, i) =>
    expect(await store.transcripts.get(round(i).id, 1)).toEqual(round(i).share),
  blob: async (store, i) => {
    const digest = createHash('sha256').update(round(i).blob).digest('hex');
    expect(Uint8Array.from(await store.blobs.get(`0x${digest}`))).toEqual(round(i).blob);
  },
};

it('keeps everything it acknowledged when it is killed, and opens again', async () => {
  const path = directory();
  const acknowledged: [what: string, i: number][] = [];
  let first = 0;
  // Odd line counts end at a different statement of the round each time.
  for (const lines of [2, 33, 64, 97, 128]) {
    for (const line of await runAndKill(path, first, lines)) {
      const [what = '', i] = line.split(' ');
      if (what !== 'open') acknowledged.push([what, Number(i)]);
    }
    const store = await open(path, 'passphrase');
    for (const [what, i] of acknowledged) await checks[what]?.(store, i);
    // A round that was cut short may have written its block, so the next child skips it.
    first = 1 + Number(store.blocks.head()?.height ?? acknowledged.at(-1)?.[1] ?? 0n);
    store.close();
  }
  expect(acknowledged.length).toBeGreaterThan(300);
});
