import { describe, expect, it } from 'vitest';
import type { PendingRegistration } from '../../../workers/store/pending.ts';
import type { Verdict } from '../../../workers/store/verdicts.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

const verdict: Verdict = {
  digest: word(6),
  ...{ limbs: 4, noise: (1n << 200n) + 1n, noiseBits: 201 },
  ...{ inputs: [word(7)], facts: ['a fact'], vouched: false },
};

const registration = (byte: number, fields: Partial<PendingRegistration> = {}) => ({
  ...{ registrationId: word(byte), handle: word(byte + 1), bytes: 10, keptAt: 5n },
  ...{ ciphertext: word(byte + 2), proof: word(byte + 3) },
  ...fields,
});

describe('verdicts', () => {
  it('survive a restart until they are removed', async () => {
    const path = directory();
    const store = await open(path);
    store.verdicts.keep(word(1), verdict);
    store.verdicts.keep(word(2), { ...verdict, inputs: [], facts: [] });
    store.close();
    const { verdicts } = await open(path);
    expect(verdicts.get(word(1))).toEqual(verdict);
    expect(verdicts.get(word(2))).toEqual({ ...verdict, inputs: [], facts: [] });
    verdicts.remove(word(1));
    expect(verdicts.get(word(1))).toBeUndefined();
  });
});

describe('pending registrations', () => {
  it('survive a restart, the oldest first', async () => {
    const path = directory();
    const store = await open(path);
    store.pending.keep(registration(16));
    store.pending.keep(registration(32, { ciphertext: undefined, proof: undefined }));
    store.close();
    const { pending } = await open(path);
    expect(pending.totalBytes()).toBe(20);
    expect(pending.oldest()).toEqual(registration(16));
    pending.remove(word(16));
    expect(pending.oldest()).toMatchObject({ ciphertext: undefined, proof: undefined });
    pending.remove(word(32));
    expect(pending.oldest()).toBeUndefined();
    expect(pending.totalBytes()).toBe(0);
  });

  it('are the latest again when they are kept again', async () => {
    const { pending } = await open(directory());
    pending.keep(registration(16));
    pending.keep(registration(32));
    pending.keep(registration(16, { keptAt: 9n }));
    expect(pending.oldest()).toEqual(registration(32));
    expect(pending.get(word(16))).toEqual(registration(16, { keptAt: 9n }));
    expect(pending.totalBytes()).toBe(20);
  });

  it('name the blobs that are held for them', async () => {
    const { pending } = await open(directory());
    pending.keep(registration(16, { proof: undefined }));
    expect(pending.count(word(18))).toBe(1);
    expect(pending.count(word(19))).toBe(0);
    pending.keep(registration(32));
    expect(pending.count(word(35))).toBe(1);
    pending.remove(word(32));
    expect(pending.count(word(35))).toBe(0);
  });
});
