import { expect, test } from 'vitest';

import {
  blobDigest,
  checkUserKeys,
  createUserKeys,
  decryptAnswer,
  encrypt,
  parameterSet,
  SdkErrorCode,
} from '../../sdk/index.ts';
import { parsePublicKey } from '../../workers/fhe/keys.ts';
import { sealSwitch } from '../workers/fhe/support.ts';

const set = parameterSet('insecure-bfv-1024');
const keys = createUserKeys(set);

test('a key pair is SEAL’s, canonical, fresh and a pair', () => {
  expect(() => parsePublicKey(set, keys.publicKey)).not.toThrow();
  expect(keys.digest).toBe(blobDigest(keys.publicKey));
  expect(createUserKeys(set).digest).not.toBe(keys.digest);
  expect(() => checkUserKeys(set, keys)).not.toThrow();
});

test.each([
  ['halves of two pairs', { ...keys, secretKey: createUserKeys(set).secretKey }],
  ['keys of another set', createUserKeys(parameterSet('bfv-8192-b20'))],
  ['a secret key in the place of the public one', { ...keys, publicKey: keys.secretKey }],
  ['no bytes', { publicKey: new Uint8Array(), secretKey: new Uint8Array() }],
])('%s are refused', (_, pair) => {
  expect(() => checkUserKeys(set, pair)).toThrow(
    expect.objectContaining({ code: SdkErrorCode.USER_KEY_INVALID }),
  );
});

const slots = Array.from({ length: set.degree }, (_, slot) => BigInt(118 * slot));

test('a full answer gives every value, at whatever level it is', () => {
  const fresh = encrypt(set, keys.publicKey, { slots });
  for (const answer of [fresh, sealSwitch(set, fresh, 1)])
    expect(decryptAnswer(set, keys.secretKey, answer, 'full').slots).toEqual(slots);
});

test('a packed answer gives as many values as ciphertexts were asked for', () => {
  const answer = encrypt(set, keys.publicKey, { scalar: 42n });
  expect(decryptAnswer(set, keys.secretKey, answer, 'packed', 3)).toEqual({
    coefficients: [42n, 0n, 0n],
    slots: undefined,
  });
});

test('another user’s key gives something else', () => {
  const answer = encrypt(set, keys.publicKey, { slots });
  const { slots: seen } = decryptAnswer(set, createUserKeys(set).secretKey, answer, 'full');
  expect(seen).not.toEqual(slots);
});

test.each<[string, () => unknown]>([
  ['bytes', () => decryptAnswer(set, keys.secretKey, new Uint8Array(100), 'full')],
  ['no values', () => decryptAnswer(set, keys.secretKey, keys.publicKey, 'packed', 0)],
  ['two full ones', () => decryptAnswer(set, keys.secretKey, keys.publicKey, 'full', 2)],
  ['too many', () => decryptAnswer(set, keys.secretKey, keys.publicKey, 'packed', 1025)],
  ['half a value', () => decryptAnswer(set, keys.secretKey, keys.publicKey, 'packed', 0.5)],
])('an answer of %s is refused', (_, read) => {
  expect(read).toThrow(expect.objectContaining({ code: SdkErrorCode.ANSWER_INVALID }));
});
