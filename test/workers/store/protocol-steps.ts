import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { privateKeyToAddress } from 'viem/accounts';
import { expect } from 'vitest';

import type { Evidence } from '../../../workers/protocols/evidence.ts';
import { offenceId } from '../../../workers/protocols/evidence.ts';
import { createBackup } from '../../../workers/store/backup/create.ts';
import { restoreBackup } from '../../../workers/store/backup/restore.ts';
import { EVIDENCE_PER_ACCUSED } from '../../../workers/store/evidence.ts';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { createIdentity, loadIdentity } from '../../../workers/store/keystore.ts';
import { openStore, type Store } from '../../../workers/store/store.ts';
import { round } from './crash-round.ts';
import { passphrase, word } from './support.ts';

// Everything that an operator writes, in steps that a crash may interrupt anywhere.

/** An operator's folder, or what a crash has left of it, and the store that is open on it. */
export interface Place {
  readonly folder: string;
  store: Store;
}

export interface Step {
  readonly what: string;
  /** Does it, or does it again after a crash. */
  run(place: Place): unknown;
  /** What must be true for ever once `run` has returned. */
  holds(place: Place): unknown;
  /** What must be true at any moment of it. */
  always?(place: Place): unknown;
}

/** Two blocks of a disk are a part of the transcripts. */
export const transcriptBytes = 64 * 8192;
const keys = { signerKey: word(0x5a), peerKey: Uint8Array.from({ length: 68 }, (_, at) => at) };
const binding = {
  chainId: 31337n,
  gateway: '0x00000000000000000000000000000000000000AA',
  signer: privateKeyToAddress(keys.signerKey),
} as const;
const verdict = {
  ...{ digest: word(1), limbs: 2, noise: 5n, noiseBits: 3, inputs: [], facts: [] },
  vouched: false,
};
const pending = {
  ...{ registrationId: word(21), handle: word(22), ciphertext: word(23), proof: undefined },
  ...{ bytes: 5, keptAt: 7n },
};
const signature = `0x${'5a'.repeat(65)}` as const;
const evidence: Evidence = {
  ...{ kind: 'equivocation', epochId: word(9), subject: word(8), index: 2 },
  first: { root: word(1), signature },
  second: { root: word(2), signature },
};
const wrongResult = (number: number): Evidence => ({
  ...{ kind: 'wrong-result', epochId: word(9), subject: word(0x40 + number), index: 3 },
  source: '0x00000000000000000000000000000000000000a1',
  ...{ resultHash: word(3), signature },
});
const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(round);
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));
const refused = (act: () => void, code: string): void =>
  expect(act).toThrow(expect.objectContaining({ code }) as Error);

export const openPlace = async (folder: string, bytes = transcriptBytes): Promise<Place> => {
  const kdf = insecureFastKdf;
  const options = { kdf, transcriptBytes: bytes };
  return { folder, store: await openStore(join(folder, 'data'), passphrase, options) };
};

/** The sealed bytes of a secret, as they are in the files. */
export function sealed(folder: string, name: string): Buffer | undefined {
  const state = new DatabaseSync(join(folder, 'data/state.db'), { readOnly: true });
  const row = state.prepare('SELECT box FROM secrets WHERE name = ?').get(name);
  state.close();
  return row && Buffer.from(row['box'] as Uint8Array);
}

const dataFiles = (folder: string): Buffer[] =>
  ['state.db', 'state.db-wal']
    .map((name) => join(folder, 'data', name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path));

/** What is erased below: known from when it is put. */
let erased: Buffer | undefined;

export const steps = (age: { file: string; to: string }): readonly Step[] => [
  {
    what: 'init',
    run: async ({ folder }) => {
      const path = join(folder, 'identity.json');
      if (!existsSync(path)) await createIdentity(path, passphrase, keys, { kdf: insecureFastKdf });
    },
    holds: async ({ folder }) =>
      expect(await loadIdentity(join(folder, 'identity.json'), passphrase)).toEqual(keys),
  },
  {
    what: 'bind',
    run: ({ store }) => store.bind(binding),
    holds: ({ store }) =>
      refused(() => store.bind({ ...binding, chainId: 1n }), StoreErrorCode.IDENTITY_MISMATCH),
  },
  {
    what: 'draw seeds, keep set keys',
    run: ({ store: { secrets } }) => {
      secrets.putAll([
        ['epoch/set-keys', text('set keys')],
        ['epoch/share', text('share')],
      ]);
      secrets.replace('seeds', text('seeds'));
    },
    always: ({ store: { secrets } }) =>
      expect(secrets.has('epoch/set-keys')).toBe(secrets.has('epoch/share')),
    holds: ({ store: { secrets } }) => {
      expect(secrets.get('epoch/set-keys')).toEqual(text('set keys'));
      expect(secrets.get('seeds')).toEqual(text('seeds'));
      refused(() => secrets.put('epoch/share', text('other')), StoreErrorCode.SECRET_CONFLICT);
    },
  },
  {
    what: 'commit to a share',
    run: ({ store }) => store.openings.commit(a.opening, a.root),
    always: ({ store }) => expect([undefined, a.root]).toContain(store.openings.root(a.id)),
    holds: ({ store }) => {
      expect(store.openings.root(a.id)).toBe(a.root);
      refused(() => store.openings.commit(a.opening, b.root), StoreErrorCode.OPENING_CONFLICT);
    },
  },
  {
    what: 'commit to a result',
    run: ({ store }) => store.results.commit(word(31), word(32)),
    holds: ({ store }) =>
      refused(() => store.results.commit(word(31), word(33)), StoreErrorCode.RESULT_CONFLICT),
  },
  {
    what: 'compare roots',
    run: ({ store }) => {
      store.openings.setCompared([a.id]);
      store.openings.setUncompared(a.id);
    },
    holds: ({ store }) => expect(store.openings.toCompare(9)).toHaveLength(1),
  },
  {
    what: 'read the chain anew',
    run: ({ store: { blocks } }) => {
      blocks.truncateFrom(0n, undefined);
      blocks.append([], a.block);
      blocks.append([b.block], b.block);
      blocks.truncateFrom(0n, undefined);
    },
    holds: () => undefined,
  },
  {
    what: 'journal blocks',
    run: ({ store: { blocks } }) => {
      const from = blocks.scanned()?.height ?? 0n;
      const all = [a, b, c].map(({ block }) => block).filter(({ height }) => height > from);
      if (all.length > 0) blocks.append(all, all.at(-1));
    },
    always: ({ store: { blocks } }) =>
      expect([undefined, c.block.height]).toContain(blocks.head()?.height),
    holds: ({ store: { blocks } }) => expect(blocks.below(c.block.height)).toEqual(b.block),
  },
  {
    what: 'undo blocks',
    run: ({ store: { blocks } }) => blocks.truncateFrom(c.block.height, b.block),
    // Both or neither.
    always: ({ store: { blocks } }) => expect(blocks.scanned()?.height).toBe(blocks.head()?.height),
    holds: ({ store: { blocks } }) => expect(blocks.head()).toEqual(b.block),
  },
  {
    what: 'journal a transaction',
    run: ({ store: { transactions } }) => {
      const held = transactions.pending().some(({ nonce }) => nonce === 1);
      if (!held) transactions.record(1, 'a', a.attempt);
    },
    holds: ({ store: { transactions } }) =>
      expect(transactions.pending()).toContainEqual({ nonce: 1, key: 'a', attempts: [a.attempt] }),
  },
  {
    what: 'settle a transaction',
    run: ({ store: { transactions } }) => {
      if (!existsSettled(transactions.pending())) transactions.record(2, 'b', b.attempt);
      transactions.settle(2);
    },
    holds: ({ store: { transactions } }) =>
      expect(transactions.pending().map(({ nonce }) => nonce)).toEqual([1]),
  },
  {
    what: 'note progress, faults, evidence, verdicts, registrations',
    run: ({ store }) => {
      store.entries.record(word(11), 0, word(12));
      store.faults.record({ subject: word(1), openingId: word(2), operator: 3, reason: 'X' }, 5);
      store.evidence.keep(evidence);
      store.evidence.advance(offenceId(evidence), 'submitted');
      store.verdicts.keep(word(13), verdict);
      store.verdicts.keep(word(14), verdict);
      store.verdicts.remove(word(14));
      store.pending.keep(pending);
      store.pending.keep({ ...pending, registrationId: word(24) });
      store.pending.remove(word(24));
    },
    holds: ({ store }) => {
      expect(store.entries.list(word(11))).toEqual([word(12)]);
      expect(store.faults.list()).toHaveLength(1);
      expect(store.evidence.count('submitted')).toBe(1);
      expect(store.verdicts.get(word(13))).toEqual(verdict);
      expect(store.verdicts.get(word(14))).toBeUndefined();
      expect(store.pending.get(word(21))).toEqual(pending);
      expect(store.pending.get(word(24))).toBeUndefined();
    },
  },
  {
    what: 'make room for evidence',
    run: ({ store }) => {
      for (let number = 0; number <= EVIDENCE_PER_ACCUSED; number++)
        store.evidence.keep(wrongResult(number));
    },
    holds: ({ store }) => expect(store.evidence.count('open')).toBe(EVIDENCE_PER_ACCUSED),
  },
  {
    what: 'erase secrets',
    run: ({ folder, store: { secrets } }) => {
      secrets.put('gone/1', text('erased'));
      secrets.put('gone/2', text('erased'));
      erased ??= sealed(folder, 'gone/1');
      secrets.deleteAll('gone/1');
      secrets.delete('gone/2');
    },
    // Not even in the log, of which a crash may have left all.
    always: ({ folder, store: { secrets } }) => {
      if (secrets.has('gone/1')) return;
      for (const bytes of dataFiles(folder)) expect(bytes.includes(erased!)).toBe(false);
    },
    holds: ({ folder, store: { secrets } }) => {
      expect(secrets.list('gone/')).toEqual([]);
      for (const bytes of dataFiles(folder)) expect(bytes.includes(erased!)).toBe(false);
    },
  },
  {
    what: 'keep blobs',
    run: async ({ store: { blobs } }) => {
      await blobs.put(a.blob);
      const writer = await blobs.create();
      try {
        await writer.append(b.blob);
        await writer.append(c.blob);
        await writer.commit();
      } finally {
        await writer.abort();
      }
    },
    holds: async ({ folder, store: { blobs } }) => {
      expect(Uint8Array.from(await blobs.get(a.digest))).toEqual(a.blob);
      expect(readdirSync(join(folder, 'data/blobs/incoming'))).toEqual([]);
    },
    // A name never has part of its bytes.
    always: async ({ store: { blobs } }) => {
      if (await blobs.has(a.digest)) expect(await blobs.get(a.digest)).toHaveLength(a.blob.length);
    },
  },
  {
    what: 'give up a blob',
    run: async ({ store: { blobs } }) => {
      const writer = await blobs.create();
      await writer.append(e.blob);
      await writer.abort();
    },
    holds: async ({ store: { blobs } }) => expect(await blobs.has(e.digest)).toBe(false),
  },
  {
    what: 'drop a blob',
    run: async ({ store: { blobs } }) => blobs.remove(await blobs.put(d.blob)),
    holds: async ({ store: { blobs } }) => expect(await blobs.has(d.digest)).toBe(false),
  },
  {
    what: 'keep shares',
    run: async ({ store: { transcripts } }) => {
      for (const { id, share } of [a, b, c, d, e]) await transcripts.put(id, 1, share);
      // A late one, in a part that is finished.
      await transcripts.put(a.id, 2, a.share);
    },
    // Half of a file is none.
    always: async ({ store: { transcripts } }) =>
      expect([undefined, a.share]).toContainEqual(await transcripts.get(a.id, 1)),
    holds: async ({ folder, store: { transcripts } }) => {
      expect(await transcripts.get(e.id, 1)).toEqual(e.share);
      expect(readdirSync(join(folder, 'data/transcripts/incoming'))).toEqual([]);
    },
  },
  {
    what: 'make a backup',
    run: async ({ folder }) => {
      const source = { identity: join(folder, 'identity.json'), dataDir: join(folder, 'data') };
      const out = join(folder, 'backup.age');
      if (!existsSync(out)) await createBackup(source, [age.to], out);
    },
    // There is none, or a whole one.
    always: restores(age),
    holds: ({ folder }) => expect(existsSync(join(folder, 'data/snapshot'))).toBe(false),
  },
  {
    what: 'restore it',
    run: async ({ folder }) => {
      const into = join(folder, 'restored');
      if (!existsSync(into))
        await restoreBackup(join(folder, 'backup.age'), age.file, passphrase, into);
    },
    holds: async ({ folder }) => {
      const restored = await openPlace(join(folder, 'restored'));
      expect(restored.store.restoration.isOpen).toBe(true);
      expect(restored.store.openings.root(a.id)).toBe(a.root);
      restored.store.close();
    },
  },
  {
    what: 'stop, and start where a crash has left something, with less room for shares',
    run: async (place) => {
      place.store.close();
      for (const part of ['blobs', 'transcripts'])
        copyFileSync(
          join(place.folder, 'identity.json'),
          join(place.folder, 'data', part, 'incoming', randomUUID()),
        );
      place.store = (await openPlace(place.folder, 8192)).store;
    },
    holds: async ({ folder, store: { transcripts } }) => {
      expect(await transcripts.get(a.id, 1)).toBeUndefined();
      expect(readdirSync(join(folder, 'data/transcripts/incoming'))).toEqual([]);
    },
  },
];

const existsSettled = (pending: readonly { nonce: number }[]): boolean =>
  pending.some(({ nonce }) => nonce === 2);

function restores(age: { file: string }): (place: Place) => Promise<void> {
  return async ({ folder }) => {
    const backup = join(folder, 'backup.age');
    if (!existsSync(backup)) return;
    await restoreBackup(backup, age.file, passphrase, join(folder, 'from-image'));
  };
}
