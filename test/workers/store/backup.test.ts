import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { privateKeyToAddress } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { createBackup } from '../../../workers/store/backup/create.ts';
import { BackupErrorCode } from '../../../workers/store/backup/errors.ts';
import { readBackup } from '../../../workers/store/backup/read.ts';
import { restoreBackup } from '../../../workers/store/backup/restore.ts';
import { schemaVersion } from '../../../workers/store/database.ts';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { createIdentity, loadIdentity } from '../../../workers/store/keystore.ts';
import { preimageOf } from './crash-round.ts';
import { passphrase, temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();
const keys = { signerKey: word(0x5a), peerKey: Uint8Array.from({ length: 68 }, (_, i) => i) };
const signer = privateKeyToAddress(keys.signerKey);
const gateway = '0x00000000000000000000000000000000000000AA' as const;
const opening = { openingId: word(1), epochId: word(2), preimage: preimageOf(word(3)) };
const secret = Uint8Array.from(Buffer.from('thirty-two bytes that none knows'));
const setKeys = `epoch/${word(2)}/set-keys`;

/** An operator's folder, with something in every journal, and the store that it runs on. */
async function operator() {
  const folder = directory();
  const source = { identity: join(folder, 'identity.json'), dataDir: join(folder, 'data') };
  await createIdentity(source.identity, passphrase, keys, { kdf: insecureFastKdf });
  const store = await open(source.dataDir);
  store.bind({ chainId: 31337n, gateway, signer });
  store.secrets.put(setKeys, secret);
  store.openings.commit(opening, word(4));
  store.results.commit(word(5), word(6));
  store.blocks.append([], { height: 77n, hash: word(7) });
  return { folder, source, store };
}

/** An age identity in a file of its own, and its recipient. */
async function recipient() {
  const file = join(directory(), 'key.txt');
  const identity = await generateIdentity();
  writeFileSync(file, `# created by a test\n${identity}\n`, { mode: 0o600 });
  return { file, identity, to: await identityToRecipient(identity) };
}

/** An operator with a backup of it. */
async function backedUp() {
  const [own, key] = [await operator(), await recipient()];
  const backup = join(own.folder, 'backup.age');
  const made = await createBackup(own.source, [key.to], backup);
  return { ...own, ...key, backup, made };
}

describe('a backup', () => {
  it('is made while the operator runs, as of that moment, and is checked without writing', async () => {
    const { folder, store, file, backup, made } = await backedUp();
    store.openings.commit({ ...opening, openingId: word(9) }, word(4));
    const found = await readBackup(backup, file, passphrase);
    expect(found).toMatchObject({
      ...{ chainId: '31337', gateway: gateway.toLowerCase(), signer: signer.toLowerCase() },
      ...{ schema: schemaVersion, height: '77', epochs: [word(2)] },
    });
    expect(made).toMatchObject(found);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['backup.age', 'data', 'identity.json']);
    expect(readdirSync(join(folder, 'data'))).not.toContain('snapshot');
  });

  it('is made of what a crash has left, too', async () => {
    const { source, store, folder } = await operator();
    const { file, to } = await recipient();
    const copy = join(folder, 'crashed');
    // Copied with its log, as it was on the disk when nobody had closed it.
    spawnSync('cp', ['-r', source.dataDir, copy]);
    store.close();
    const backup = join(folder, 'backup.age');
    await createBackup({ ...source, dataDir: copy }, [to], backup);
    const restored = join(folder, 'restored');
    await restoreBackup(backup, file, passphrase, restored);
    expect((await open(join(restored, 'data'))).openings.root(word(1))).toBe(word(4));
  });

  it('is for each of its recipients, and for nobody else', async () => {
    const { source, folder } = await operator();
    const [first, second, other] = [await recipient(), await recipient(), await recipient()];
    const backup = join(folder, 'backup.age');
    await createBackup(source, [first.to, second.to], backup);
    for (const { file } of [first, second])
      expect(await readBackup(backup, file, undefined)).toMatchObject({ chainId: '31337' });
    await expect(readBackup(backup, other.file, undefined)).rejects.toMatchObject({
      code: BackupErrorCode.NOT_FOR_IDENTITY,
    });
  });

  it('is a tar archive in the format of age, whose secrets are encrypted still', async () => {
    const { backup, identity } = await backedUp();
    expect(readFileSync(backup).subarray(0, 21).toString()).toBe('age-encryption.org/v1');
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const archive = Buffer.from(await decrypter.decrypt(readFileSync(backup)));
    const { stdout, status } = spawnSync('tar', ['-t'], { input: archive });
    expect(status).toBe(0);
    expect(stdout.toString()).toBe('manifest.json\nidentity.json\ndata/state.db\n');
    expect(archive.includes(Buffer.from(secret))).toBe(false);
    expect(archive.includes(Buffer.from(keys.signerKey.slice(2), 'hex'))).toBe(false);
    expect(archive.includes('epoch/')).toBe(true);
  });

  it('restores identity, shares and journals, for the owner alone', async () => {
    const { folder, file, backup } = await backedUp();
    const into = join(folder, 'new', 'operator');
    await restoreBackup(backup, file, passphrase, into);
    expect(readdirSync(join(folder, 'new'))).toEqual(['operator']);
    for (const name of ['', 'identity.json', 'data', 'data/state.db'])
      expect(statSync(join(into, name)).mode & 0o077).toBe(0);
    expect(await loadIdentity(join(into, 'identity.json'), passphrase)).toEqual(keys);
    const store = await open(join(into, 'data'));
    store.bind({ chainId: 31337n, gateway, signer });
    expect(store.secrets.get(setKeys)).toEqual(secret);
    expect(store.results.hash(word(5))).toBe(word(6));
    expect(store.blocks.scanned()).toEqual({ height: 77n, hash: word(7) });
    expect(() => store.openings.commit(opening, word(8))).toThrow(
      expect.objectContaining({ code: StoreErrorCode.OPENING_CONFLICT }),
    );
  });

  it('marks what it restores, each time anew', async () => {
    const { folder, source, store, file, to, backup } = await backedUp();
    expect(store.restoration).toMatchObject({ isOpen: false, until: undefined });
    const into = join(folder, 'restored');
    await restoreBackup(backup, file, undefined, into);
    const restored = await open(join(into, 'data'));
    expect(restored.restoration).toMatchObject({ isOpen: true, until: undefined });
    restored.restoration.close(80n);
    restored.restoration.close(90n);
    restored.close();
    const again = await open(join(into, 'data'));
    expect(again.restoration).toMatchObject({ isOpen: false, until: 80n });
    const second = join(folder, 'second.age');
    await createBackup({ ...source, dataDir: join(into, 'data') }, [to], second);
    await restoreBackup(second, file, undefined, join(folder, 'restored twice'));
    const twice = await open(join(folder, 'restored twice', 'data'));
    expect(twice.restoration).toMatchObject({ isOpen: true, until: undefined });
  });
});

const flipped = (bytes: Buffer, at: number) => bytes.fill(bytes[at] ^ 1, at, at + 1);

describe('a backup that is not as it was made', () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['is altered in its header', (bytes) => flipped(bytes, bytes.indexOf('---') + 10)],
    ['is altered in its first files', (bytes) => flipped(bytes, 700)],
    ['is altered in its last', (bytes) => flipped(bytes, bytes.length - 9)],
    ['lacks its end', (bytes) => bytes.subarray(0, -600)],
    [
      'ends at a piece of age',
      (bytes) => bytes.subarray(0, bytes.length - (bytes.length % 65_552)),
    ],
    ['is followed by something', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
    ['is empty', () => Buffer.alloc(0)],
    ['is none', () => Buffer.from('not a backup')],
  ])('is refused if it %s, and nothing is restored', async (_, damage) => {
    const { folder, file, backup } = await backedUp();
    writeFileSync(backup, damage(readFileSync(backup)));
    const into = join(folder, 'restored');
    const expected = { code: BackupErrorCode.CORRUPT };
    await expect(readBackup(backup, file, undefined)).rejects.toMatchObject(expected);
    await expect(restoreBackup(backup, file, undefined, into)).rejects.toMatchObject(expected);
    expect(readdirSync(folder).sort()).toEqual(['backup.age', 'data', 'identity.json']);
  });

  it('is refused if its passphrase is another one', async () => {
    const { file, backup } = await backedUp();
    await expect(readBackup(backup, file, 'wrong')).rejects.toMatchObject({
      code: StoreErrorCode.WRONG_PASSPHRASE,
    });
  });

  it('is refused if identity and state are of two operators', async () => {
    const { folder, source } = await operator();
    const { file, to } = await recipient();
    const identity = join(folder, 'other.json');
    await createIdentity(
      identity,
      passphrase,
      { ...keys, signerKey: word(0x5b) },
      { kdf: insecureFastKdf },
    );
    const backup = join(folder, 'backup.age');
    await createBackup({ ...source, identity }, [to], backup);
    await expect(readBackup(backup, file, passphrase)).rejects.toMatchObject({
      code: BackupErrorCode.CORRUPT,
    });
  });
});

describe('backups refuse', () => {
  it('to overwrite', async () => {
    const { source, folder, file, to, backup } = await backedUp();
    const expected = { code: BackupErrorCode.TARGET_EXISTS };
    await expect(createBackup(source, [to], backup)).rejects.toMatchObject(expected);
    const before = readFileSync(join(folder, 'identity.json'));
    await expect(restoreBackup(backup, file, passphrase, folder)).rejects.toMatchObject(expected);
    await expect(restoreBackup(backup, file, passphrase, backup)).rejects.toMatchObject(expected);
    expect(readFileSync(join(folder, 'identity.json'))).toEqual(before);
  });

  it.each(['age1nonsense', 'AGE-SECRET-KEY-1NOT', ''])('the recipient %j', async (to) => {
    const { source, folder } = await operator();
    const made = createBackup(source, [to], join(folder, 'backup.age'));
    await expect(made).rejects.toMatchObject({ code: BackupErrorCode.RECIPIENT_INVALID });
    await expect(made).rejects.not.toMatchObject({
      message: expect.stringContaining('NOT') as string,
    });
    expect(existsSync(join(folder, 'backup.age'))).toBe(false);
  });

  it('an age identity that others can read, or that is none', async () => {
    const { backup, file } = await backedUp();
    chmodSync(file, 0o644);
    await expect(readBackup(backup, file, undefined)).rejects.toMatchObject({
      code: StoreErrorCode.READABLE_BY_OTHERS,
    });
    for (const content of ['', '# only a comment\n', 'AGE-SECRET-KEY-1NOT\n']) {
      writeFileSync(file, content);
      chmodSync(file, 0o600);
      await expect(readBackup(backup, file, undefined)).rejects.toMatchObject({
        code: BackupErrorCode.IDENTITY_INVALID,
      });
    }
  });

  it('to write where there is no folder', async () => {
    const { source, folder, file, to, backup } = await backedUp();
    const expected = { code: BackupErrorCode.WRITE_FAILED };
    const out = join(folder, 'none', 'backup.age');
    await expect(createBackup(source, [to], out)).rejects.toMatchObject(expected);
    // Nor into what is no folder.
    const into = join(folder, 'backup.age', 'restored');
    await expect(restoreBackup(backup, file, undefined, into)).rejects.toMatchObject({
      code: BackupErrorCode.TARGET_EXISTS,
    });
  });

  it('what has never run, or is not there', async () => {
    const { source, folder } = await operator();
    const { to } = await recipient();
    const out = join(folder, 'backup.age');
    const expected = { code: BackupErrorCode.NOTHING_TO_KEEP };
    const nowhere = join(folder, 'nowhere');
    for (const from of [
      { ...source, dataDir: nowhere },
      { ...source, identity: nowhere },
    ])
      await expect(createBackup(from, [to], out)).rejects.toMatchObject(expected);
    (await open(nowhere)).close();
    await expect(createBackup({ ...source, dataDir: nowhere }, [to], out)).rejects.toMatchObject(
      expected,
    );
    expect(existsSync(out)).toBe(false);
  });

  it('a damaged state, before it takes the place of an older backup', async () => {
    const { source, folder, store } = await operator();
    const { to } = await recipient();
    store.close();
    const state = join(source.dataDir, 'state.db');
    writeFileSync(state, readFileSync(state).subarray(0, 6000));
    await expect(createBackup(source, [to], join(folder, 'b.age'))).rejects.toMatchObject({
      code: StoreErrorCode.STATE_UNREADABLE,
    });
  });

  it('a state of a newer program', async () => {
    const { source, folder, store } = await operator();
    const { to } = await recipient();
    store.close();
    const raw = new DatabaseSync(join(source.dataDir, 'state.db'));
    const version = Buffer.from(String(schemaVersion + 1));
    raw.prepare("UPDATE meta SET value = ? WHERE name = 'schema'").run(version);
    raw.close();
    await expect(createBackup(source, [to], join(folder, 'b.age'))).rejects.toMatchObject({
      code: BackupErrorCode.TOO_NEW,
    });
  });
});
