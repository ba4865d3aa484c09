import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createUserKeys, parameterSet, SdkErrorCode } from '../../../sdk/index.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import { fileFailure } from '../../../tasks/support/files.ts';
import {
  readPublicUserKey,
  readUserKeys,
  writeUserKeys,
} from '../../../tasks/support/user-keys.ts';

const set = parameterSet('insecure-bfv-1024');
const keys = createUserKeys(set);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyloom-user-keys-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a pair is written once, the secret half for its owner only, and read back', async () => {
  const place = join(folder, 'pair');
  const files = await writeUserKeys(place, keys);
  expect(statSync(files.secretFile).mode & 0o777).toBe(0o600);
  expect(await readUserKeys(set, files.secretFile)).toEqual(keys);
  const failure = await writeUserKeys(place, createUserKeys(set)).catch(fileFailure);
  expect(failure).toMatchObject({ code: ClientErrorCode.FILE_FAILED });
  expect(await readUserKeys(set, files.secretFile)).toEqual(keys);
});

test('files that are not there have a code, and other failures are left alone', async () => {
  const failure = await readUserKeys(set, join(folder, 'nowhere')).catch(fileFailure);
  expect(failure).toMatchObject({ code: ClientErrorCode.FILE_FAILED });
  const bug = new TypeError('a bug');
  expect(fileFailure(bug)).toBe(bug);
});

test('the public half alone is checked as well', async () => {
  const { publicFile, secretFile } = await writeUserKeys(join(folder, 'half'), keys);
  const { publicKey, digest } = keys;
  expect(await readPublicUserKey(set, publicFile)).toEqual({ publicKey, digest });
  await expect(readPublicUserKey(set, secretFile)).rejects.toMatchObject({
    code: SdkErrorCode.USER_KEY_INVALID,
  });
});

test.each<[string, (publicKey: Uint8Array) => Uint8Array]>([
  ['cut off', (key) => key.subarray(0, -1)],
  ['with a byte too many', (key) => Uint8Array.of(...key, 0)],
  ['with another version', (key) => key.with(3, 9)],
  ['with another parms_id', (key) => key.with(20, key[20] ^ 1)],
  ['in coefficient form', (key) => key.with(48, 0)],
  ['with a residue that is not below its prime', (key) => key.with(120, 0xff)],
  ['that is the secret one', () => keys.secretKey],
  ['of another pair', () => createUserKeys(set).publicKey],
])('a public key %s is refused before anything is paid for', async (name, change) => {
  const secretFile = join(folder, 'secret');
  const publicFile = join(folder, name);
  writeFileSync(secretFile, keys.secretKey);
  writeFileSync(publicFile, change(keys.publicKey));
  await expect(readUserKeys(set, secretFile, publicFile)).rejects.toMatchObject({
    code: SdkErrorCode.USER_KEY_INVALID,
  });
});
