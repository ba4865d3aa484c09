import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
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
    if (content !== undefined) writeFileSync(path, content);
    await expect(loadIdentity(path, passphrase)).rejects.toMatchObject({
      code: StoreErrorCode.IDENTITY_UNREADABLE,
    });
  });
});
