import { Wallet } from 'ethers';
import { hashTypedData, zeroAddress, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';

import {
  maxPermitHandles,
  maxPermitSeconds,
  SdkErrorCode,
  userDecryptionPermit,
  type PermitRequest,
} from '../../sdk/index.ts';

const privateKey: Hex = `0x${'5e'.repeat(32)}`;
const viemAccount = privateKeyToAccount(privateKey);
const ethersSigner = new Wallet(privateKey);
const word = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

const common = {
  chainId: 31_337,
  gateway: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  user: viemAccount.address,
  publicKeyDigest: word(7),
  validFrom: 1_000,
  validUntil: 2_000,
} as const;
const scopes: [string, PermitRequest][] = [
  ['one ciphertext', { ...common, handles: [word(1)] }],
  ['several ciphertexts', { ...common, handles: [word(1), word(2), word(0xff)] }],
  ['all of an owner', { ...common, owner: '0x00000000000000000000000000000000000000A5' }],
  ['a chain id beyond 32 bits', { ...common, chainId: 1n << 40n, handles: [word(1)] }],
];

test.each(scopes)('viem and ethers sign the same: %s', async (_, request) => {
  const permit = userDecryptionPermit(request);
  const { domain, types, message } = permit;
  const signature = await viemAccount.signTypedData(permit);
  expect(await ethersSigner.signTypedData(domain, types, message)).toBe(signature);
});

test('every field of a permit is signed', () => {
  const request: PermitRequest = { ...common, handles: [word(1)] };
  const others: PermitRequest[] = [
    request,
    { ...request, chainId: 1 },
    { ...request, gateway: common.user },
    { ...request, user: common.gateway },
    { ...request, publicKeyDigest: word(8) },
    { ...request, handles: [word(2)] },
    { ...common, owner: common.user },
    { ...request, validFrom: 1_001 },
    { ...request, validUntil: 2_001 },
  ];
  const digests = others.map((one) => hashTypedData(userDecryptionPermit(one)));
  expect(new Set(digests).size).toBe(others.length);
});

test('a permit as long as permits may be is made', () => {
  const validUntil = common.validFrom + Number(maxPermitSeconds);
  const { message } = userDecryptionPermit({ ...common, validUntil, handles: [word(1)] });
  expect(message.validUntil - message.validFrom).toBe(maxPermitSeconds);
});

const refused: [string, Record<string, unknown>][] = [
  ['without ciphertexts and owner', {}],
  ['with no ciphertext in the list', { handles: [] }],
  ['with the zero owner', { owner: zeroAddress }],
  ['with ciphertexts and owner', { handles: [word(1)], owner: common.user }],
  ['with a short handle', { handles: ['0x12'] }],
  ['with a handle of zeros', { handles: [word(0)] }],
  ['with a digest that is none', { handles: [word(1)], publicKeyDigest: '0x12' }],
  ['with a digest of zeros', { handles: [word(1)], publicKeyDigest: word(0) }],
  ['of a user with a wrong checksum', { handles: [word(1)], user: flipCase(common.user) }],
  ['of nobody', { handles: [word(1)], user: zeroAddress }],
  ['for no contract', { handles: [word(1)], gateway: 'gateway' }],
  ['that ends before it begins', { handles: [word(1)], validUntil: 999 }],
  ['in fractions of seconds', { handles: [word(1)], validUntil: 1_000.5 }],
  ['that began before 1970', { handles: [word(1)], validFrom: -1 }],
  [
    'for too long',
    { handles: [word(1)], validUntil: common.validFrom + Number(maxPermitSeconds) + 1 },
  ],
  ['for too many', { handles: Array.from({ length: maxPermitHandles + 1 }, () => word(1)) }],
  ['for no chain', { handles: [word(1)], chainId: 0 }],
  ['for a chain that numbers cannot name', { handles: [word(1)], chainId: 1n << 60n }],
];

test.each(refused)('a permit %s is refused', (_, change) => {
  const request = { ...common, ...change } as unknown as PermitRequest;
  expect(() => userDecryptionPermit(request)).toThrow(
    expect.objectContaining({ code: SdkErrorCode.PERMIT_INVALID }),
  );
});

/** The same address with the case of its first letter changed. */
function flipCase(address: Address): string {
  return address.replace(/[a-f]/i, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
