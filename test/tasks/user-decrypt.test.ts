import { expect, test } from 'vitest';

import { ClientErrorCode } from '../../tasks/support/errors.ts';
import { modeOf } from '../../tasks/user-decrypt/mode.ts';

const ID = `0x${'ab'.repeat(32)}`;
const none = {
  ...{ handle: undefined, keyFile: undefined, publicKeyFile: undefined },
  ...{ permit: undefined, request: undefined, packed: false },
};

test('what is done follows from the files at hand', () => {
  const all = { does: 'all', keyFile: 'secret' };
  expect(modeOf({ ...none, handle: ID, keyFile: 'secret' })).toEqual(all);
  expect(modeOf({ ...none, keyFile: 'secret', permit: 'p', publicKeyFile: 'k' })).toEqual(all);
  expect(modeOf({ ...none, permit: 'p', publicKeyFile: 'k', packed: true })).toEqual({
    ...{ does: 'send', permit: 'p', publicKeyFile: 'k' },
  });
  expect(modeOf({ ...none, request: ID, keyFile: 'secret' })).toEqual({
    ...{ does: 'read', keyFile: 'secret', requestId: ID },
  });
});

test.each<[string, Partial<Parameters<typeof modeOf>[0]>]>([
  ['no key and no permit', { handle: ID }],
  ['a public key without a permit', { handle: ID, publicKeyFile: 'k' }],
  ['a permit without any key', { permit: 'p' }],
  ['an empty key file', { handle: ID, keyFile: '' }],
  ['a request without a key', { request: ID }],
  ['a request that is no id', { request: '0x12', keyFile: 'secret' }],
  ['a request and handles', { request: ID, keyFile: 'secret', handle: ID }],
  ['a request and a permit', { request: ID, keyFile: 'secret', permit: 'p' }],
  ['a request and a form', { request: ID, keyFile: 'secret', packed: true }],
])('%s is refused', (_, args) => {
  expect(() => modeOf({ ...none, ...args })).toThrow(
    expect.objectContaining({ code: ClientErrorCode.INVALID_ARGUMENT }),
  );
});
