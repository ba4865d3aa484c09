import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { createIdentity, loadIdentity } from '../../../workers/store/keystore.ts';
import { passphrase, temporaryStores, word } from './support.ts';

const { directory } = temporaryStores();
const options = { kdf: insecureFastKdf };
const identity = { signerKey: word(0x5a), peerKey: Uint8Array.from({ length: 68 }, (_, i) => i) };

describe('identity', () => {
  it('is written for the owner alone and read back', async () => {
    const path = join(directory(), 'keys', 'identity.json');
    await createIdentity(path, passphrase, identity, options);
    expect(await loadIdentity(path, passphrase)).toEqual(identity);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['identity.json']);
    expect(readFileSync(path, 'utf8')).not.toContain('5a5a5a5a');
  });

  it('is never overwritten', async () => {
    const path = join(directory(), 'identity.json');
    await createIdentity(path, passphrase, identity, options);
    const other = { ...identity, signerKey: word(1) };
    await expect(createIdentity(path, passphrase, other, options)).rejects.toMatchObject({
      code: StoreErrorCode.IDENTITY_EXISTS,
    });
    expect(await loadIdentity(path, passphrase)).toEqual(identity);
    expect(readdirSync(join(path, '..'))).toEqual(['identity.json']);
  });

  it('does not open with another passphrase', async () => {
    const path = join(directory(), 'identity.json');
    await createIdentity(path, passphrase, identity, options);
    await expect(loadIdentity(path, 'wrong')).rejects.toMatchObject({
      code: StoreErrorCode.WRONG_PASSPHRASE,
    });
  });

  it('refuses a signer key that is not 32 bytes', async () => {
    const bad = { ...identity, signerKey: '0x1234' as const };
    const path = join(directory(), 'identity.json');
    await expect(createIdentity(path, passphrase, bad, options)).rejects.toMatchObject({
      code: StoreErrorCode.INVALID_ARGUMENT,
    });
  });

  it.each([
    ['no file', undefined],
    ['no JSON', '{'],
    ['another format', '{"format":"keyloom-identity/2"}'],
    ['null', 'null'],
    ['no header', '{"format":"keyloom-identity/1","box":""}'],
  ])('refuses %s', async (_, content) => {
    const path = join(directory(), 'identity.json');
    if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
    await expect(loadIdentity(path, passphrase)).rejects.toMatchObject({
      code: StoreErrorCode.IDENTITY_UNREADABLE,
    });
  });

  it.each<[string, (file: Record<string, unknown>) => unknown]>([
    ['box', (file) => Object.assign(file, { box: `A${String(file.box).slice(1)}` })],
    ['cost', (file) => Object.assign(file, { kdf: { ...(file.kdf as object), logN: 11 } })],
    ['checksum', (file) => delete file.checksum],
  ])('tells a damaged %s from a wrong passphrase', async (_, damage) => {
    const path = join(directory(), 'identity.json');
    await createIdentity(path, passphrase, identity, options);
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    damage(file);
    writeFileSync(path, JSON.stringify(file));
    await expect(loadIdentity(path, passphrase)).rejects.toMatchObject({
      code: StoreErrorCode.IDENTITY_CORRUPT,
    });
  });

  it.each([0o640, 0o604, 0o620])('is refused where others can reach it (%o)', async (mode) => {
    const path = join(directory(), 'identity.json');
    await createIdentity(path, passphrase, identity, options);
    chmodSync(path, mode);
    await expect(loadIdentity(path, passphrase)).rejects.toMatchObject({
      code: StoreErrorCode.READABLE_BY_OTHERS,
      message: expect.stringContaining(`chmod 600 ${path}`) as string,
    });
  });
});
