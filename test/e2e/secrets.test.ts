import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { PASSPHRASE } from '../../devnet/operator-process.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { loadIdentity } from '../../workers/store/keystore.ts';
import { openStore } from '../../workers/store/store.ts';
import { Cluster, testSet } from './cluster.ts';
import { contentsWith, filesUnder, filesWith, formsOf } from './leaks.ts';
import { operatorProgram } from './operator-program.ts';

// A whole run: set-up, a key, decryptions, a liar, restarts, errors, a backup. Nothing that anybody can
// see or read of it has a secret in it that the operators hold: neither their own outputs nor the others'.

const INDICES = [1, 2, 3, 4];
const { KEYLOOM_PASSPHRASE: secretPassphrase } = PASSPHRASE;
/** Coefficients of a share that are looked for together: fewer are anywhere by chance. */
const WORDS_TOGETHER = 4;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** Everything that an operator says over HTTP, its errors among it. */
async function answersOf(index: number, requestId: string): Promise<[string, Buffer][]> {
  const { endpoint, folder } = cluster.operator(index);
  const transcripts = filesUnder(join(folder, 'data/transcripts'));
  const openings = transcripts.map((file) => file.split('/').at(-2)).slice(0, 3);
  const paths = [
    ...[
      '/healthz',
      '/evidence',
      '/nowhere',
      `/requests/${requestId}`,
      `/requests/${'00'.repeat(32)}`,
    ],
    ...[
      `/blobs/${'00'.repeat(32)}`,
      `/transcripts/${'00'.repeat(32)}`,
      '/blobs/..%2F..%2Fidentity.json',
    ],
    ...openings.flatMap((id) => [`/transcripts/${id}`, `/transcripts/${id}/${index}`]),
  ];
  return Promise.all(
    paths.map(async (path): Promise<[string, Buffer]> => {
      const answer = await fetch(`${endpoint}${path}`);
      const headers = JSON.stringify([...answer.headers]);
      return [
        `operator ${index} ${path}`,
        Buffer.concat([Buffer.from(headers), Buffer.from(await answer.arrayBuffer())]),
      ];
    }),
  );
}

/** What the system tells everybody of a process; its environment it tells nobody else. */
function processesOf(index: number): [string, Buffer][] {
  const { pid } = cluster.operator(index);
  return ['cmdline', 'status'].map((file) => [
    `operator ${index} /proc/${file}`,
    readFileSync(`/proc/${pid}/${file}`),
  ]);
}

/** All secrets of an operator that has stopped, in all forms that anybody would write. */
async function secretsOf(index: number): Promise<Buffer[]> {
  const { folder } = cluster.operator(index);
  const { signerKey, peerKey } = await loadIdentity(
    join(folder, 'identity.json'),
    secretPassphrase,
  );
  const pieces = [Buffer.from(signerKey.slice(2), 'hex'), Buffer.from(peerKey.slice(4, 36))];
  const texts: Buffer[] = [];
  using store = await openStore(join(folder, 'data'), secretPassphrase);
  const names = store.secrets.list('');
  for (const kind of ['seeds/', 'epoch/', 'key/'])
    expect(names.some((name) => name.startsWith(kind))).toBe(true);
  for (const name of names) {
    const bytes = Buffer.from(store.secrets.get(name)!);
    if (name.startsWith('epoch/'))
      for (let at = 2; at < bytes.length; at += 34) pieces.push(bytes.subarray(at, at + 32));
    // A dealing has its public hashes first, and ends with seeds.
    else if (name.startsWith('seeds/')) pieces.push(bytes.subarray(-32));
    else
      for (let at = 0; at < bytes.length; at += 8 * WORDS_TOGETHER) {
        const words = bytes.subarray(at, at + 8 * WORDS_TOGETHER);
        // The least that is rare enough; and not all forms of thousands.
        if (at >= 64 * 8 * WORDS_TOGETHER) break;
        pieces.push(words);
        const numbers = Array.from({ length: WORDS_TOGETHER }, (_, word) =>
          words.readBigUInt64LE(8 * word),
        );
        texts.push(Buffer.from(numbers.join(',')), Buffer.from(numbers.join('","')));
      }
  }
  return [Buffer.from(secretPassphrase), ...pieces.flatMap(formsOf), ...texts];
}

it('keeps its secrets', async () => {
  await cluster.restart(2, { conduct: 'shifted' });
  const { requestId } = await cluster.openedBy(INDICES, () =>
    cluster.roundTrip.run({ slots: sampleSlots(testSet, 1n) }),
  );
  await cluster.restart(2);
  await cluster.roundTrip.run({ scalar: 7n });

  const seen = new Map<string, Buffer>();
  for (const index of INDICES)
    for (const [name, content] of [...(await answersOf(index, requestId)), ...processesOf(index)])
      seen.set(name, content);
  // What the program says when it cannot go on.
  const own = cluster.operator(1);
  const age = await generateIdentity();
  const backup = join(cluster.devnet.workspace.folder, 'backup.age');
  const to = ['--to', await identityToRecipient(age), '--out', backup];
  const failing = [
    { args: ['start', '--config', own.configFile], passphrase: 'not the passphrase' },
    { args: ['start', '--config', own.configFile], passphrase: secretPassphrase },
    {
      args: ['start', '--config', join(own.folder, 'identity.json')],
      passphrase: secretPassphrase,
    },
    { args: ['init', '--folder', own.folder], passphrase: 'not the passphrase' },
    {
      args: ['backup', 'create', '--config', own.configFile, '--to', age, '--out', backup],
      passphrase: secretPassphrase,
    },
  ];
  for (const { args, passphrase } of failing) {
    const { exitCode, stdout, stderr } = await operatorProgram(args, {
      KEYLOOM_PASSPHRASE: passphrase,
    });
    expect(exitCode).toBe(1);
    seen.set(args.join(' '), Buffer.from(stdout + stderr));
    expect(stdout + stderr).not.toContain(age);
  }
  const made = await operatorProgram(['backup', 'create', '--config', own.configFile, ...to]);
  expect(made.exitCode).toBe(0);
  seen.set('backup create', Buffer.from(made.stdout + made.stderr));

  for (const index of INDICES) await cluster.operator(index).stop();
  const { folder } = cluster.devnet.workspace;
  const files = filesUnder(folder);
  for (const wanted of ['operator-1.log', 'state.db', 'backup.age', 'identity.json'])
    expect(files.some((file) => file.endsWith(wanted))).toBe(true);
  expect(files.some((file) => file.includes('/transcripts/'))).toBe(true);
  const proof = join(folder, 'planted');
  for (const index of INDICES) {
    const secrets = await secretsOf(index);
    expect(contentsWith(seen, secrets)).toEqual([]);
    expect(filesWith(files, secrets)).toEqual([]);
    // It would have been found.
    for (const secret of [secrets[0], secrets[1], secrets.at(-1)]) {
      writeFileSync(proof, Buffer.concat([Buffer.from('x'), secret, Buffer.from('x')]));
      expect(filesWith([proof], secrets)).toEqual([proof]);
    }
  }
});
