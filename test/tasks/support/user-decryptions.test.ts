import { getAddress, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createUserKeys, encrypt, SdkErrorCode, type UserKeys } from '../../../sdk/index.ts';
import { registerCiphertext } from '../../../tasks/support/ciphertexts.ts';
import { requestOf } from '../../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import type { Gateway } from '../../../tasks/support/gateway.ts';
import { grantUnits, meterOf, quotaOf } from '../../../tasks/support/meter.ts';
import {
  permitDocument,
  readPermit,
  signPermit,
  type SignedPermit,
} from '../../../tasks/support/permits.ts';
import { send } from '../../../tasks/support/transactions.ts';
import {
  requestUserDecryption,
  userDecryptionOf,
  waitForUserDecryption,
} from '../../../tasks/support/user-decryptions.ts';
import { ciphertextRegistryAbi } from '../../../workers/chain/abi.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { realGateway, SET, type RealGateway } from './real-gateway.ts';

const waiting = { timeoutMs: 0 };
const HOUR = 3_600;

let real: RealGateway;
let governor: Gateway;
let user: Gateway;
let keyId: Hex;
let publicKey: Uint8Array;
/** Two ciphertexts of the user, and one of the governor. */
let handles: Hex[];
let foreign: Hex;
let keys: UserKeys;

beforeAll(async () => {
  real = await realGateway();
  governor = await real.as('governor');
  user = await real.as('user');
  keys = createUserKeys(SET);
  ({ keyId, publicKey } = await real.makeKey('key'));
  handles = [await register(1n), await register(2n)];
  foreign = await register(3n, real.accountOf('governor'));
});

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
});

async function register(scalar: bigint, owner = real.accountOf('user')): Promise<Hex> {
  const bytes = encrypt(SET, publicKey, { scalar });
  return (await registerCiphertext(governor, { keyId, bytes, owner })).handle;
}

const permitFor = (covered: readonly Hex[] = handles, validSeconds = HOUR) =>
  signPermit(user, { handles: covered, publicKeyDigest: keys.digest, validSeconds });

const request = (
  signed: SignedPermit,
  options: { handles?: readonly Hex[]; packed?: boolean; keys?: UserKeys; by?: Gateway } = {},
): Promise<Hex> =>
  requestUserDecryption(options.by ?? user, {
    ...signed,
    keys: options.keys ?? keys,
    handles: options.handles ?? handles,
    packed: options.packed ?? true,
  });

/** The permit with a field changed and the old signature. */
const altered = (
  { permit, signature }: SignedPermit,
  change: Partial<SignedPermit['permit']['message']>,
): SignedPermit => ({
  signature,
  permit: { ...permit, message: { ...permit.message, ...change } },
});

describe('a user decryption', () => {
  test('packed: sent by somebody else, read by the user alone', async () => {
    const outsider = await real.as('outsider');
    const file = JSON.stringify(permitDocument(await permitFor()));
    const requestId = await request(readPermit(file), { by: outsider });
    expect(await userDecryptionOf(governor, requestId)).toMatchObject({
      ...{ requestId, state: 'Pending', keyId, handles, packed: true },
      ...{ user: getAddress(real.accountOf('user')), publicKeyDigest: keys.digest },
      requester: getAddress(real.accountOf('outsider')),
    });
    expect(new Uint8Array(real.blobs.get(keys.digest)!)).toEqual(keys.publicKey);
    await real.respond(requestId, [encrypt(SET, keys.publicKey, { scalar: 42n })]);
    expect(await waitForUserDecryption(user, requestId, keys, waiting)).toMatchObject({
      state: 'Answered',
      plaintexts: [
        { handle: handles[0], coefficients: [42n], slots: undefined },
        { handle: handles[1], coefficients: [0n], slots: undefined },
      ],
      signers: [1, 2, 3],
    });
  });

  test('full: one answer for each ciphertext', async () => {
    const requestId = await request(await permitFor(), { packed: false });
    const answers = [[5n], [6n, 7n]].map((slots) => encrypt(SET, keys.publicKey, { slots }));
    await real.respond(requestId, answers);
    const { plaintexts } = await waitForUserDecryption(user, requestId, keys, waiting);
    expect(plaintexts.map(({ slots }) => slots?.slice(0, 2))).toEqual([
      [5n, 0n],
      [6n, 7n],
    ]);
  });

  test('a permit for an owner covers what that account owns and nothing else', async () => {
    const owner = getAddress(real.accountOf('user'));
    const shared = await register(4n, real.accountOf('governor'));
    const scope = { owner, publicKeyDigest: keys.digest, validSeconds: HOUR };
    const signed = readPermit(JSON.stringify(permitDocument(await signPermit(user, scope))));
    await expect(request(signed)).resolves.toMatch(/^0x/);
    // Being allowed to decrypt a ciphertext does not make one its owner.
    await send(governor, {
      address: governor.addresses.ciphertextRegistry,
      abi: ciphertextRegistryAbi,
      functionName: 'allow',
      args: [shared, owner],
    });
    await expect(request(signed, { handles: [shared] })).rejects.toMatchObject({
      code: ClientErrorCode.PERMIT_REFUSED,
    });
    await expect(request(await permitFor([shared]), { handles: [shared] })).resolves.toMatch(/^0x/);
  });

  test('that the endpoint makes something else of is refused', async () => {
    const requestId = await request(await permitFor());
    const getContractEvents = async (query: never) => {
      const [log] = await user.client.getContractEvents(query);
      const { args } = log as unknown as { args: object };
      return [{ ...log, args: { ...args, publicKeyDigest: handles[0] } }];
    };
    const client = { ...user.client, getContractEvents } as unknown as Gateway['client'];
    await expect(userDecryptionOf({ ...user, client }, requestId)).rejects.toMatchObject({
      code: ClientErrorCode.RESULT_MISMATCH,
    });
  });

  test('is told apart from a public one', async () => {
    const requestId = await request(await permitFor());
    const unknown = { code: ClientErrorCode.UNKNOWN_ID };
    await expect(requestOf(user, requestId)).rejects.toMatchObject(unknown);
    await expect(userDecryptionOf(user, handles[0])).rejects.toMatchObject(unknown);
  });
});

describe('what a permit does not allow', () => {
  const refused = { code: ClientErrorCode.PERMIT_REFUSED };

  test('another signer, or anything changed after signing', async () => {
    const signed = await permitFor();
    const byGovernor = await signPermit(governor, {
      ...{ handles, publicKeyDigest: keys.digest, validSeconds: HOUR },
    });
    const forged = altered(byGovernor, { user: signed.permit.message.user });
    await expect(request(forged)).rejects.toMatchObject(refused);
    const longer = altered(signed, { validUntil: signed.permit.message.validUntil + 1n });
    await expect(request(longer)).rejects.toMatchObject(refused);
    const wider = altered(signed, { handles: [...handles, foreign] });
    await expect(request(wider)).rejects.toMatchObject(refused);
  });

  test('another key than the one it names', async () => {
    const others = createUserKeys(SET);
    const signed = await permitFor();
    await expect(request(signed, { keys: others })).rejects.toMatchObject(refused);
    const replayed = altered(signed, { publicKeyDigest: others.digest });
    await expect(request(replayed, { keys: others })).rejects.toMatchObject(refused);
  });

  test('another chain or contract', async () => {
    const { permit, signature } = await permitFor();
    const elsewhere = [{ chainId: 1 }, { verifyingContract: permit.message.user }];
    for (const change of elsewhere) {
      const domain = { ...permit.domain, ...change };
      const moved = { signature, permit: { ...permit, domain } };
      await expect(request(moved)).rejects.toMatchObject(refused);
      // What was signed for there is nobody's signature here.
      const resigned = {
        permit,
        signature: await user.wallet!.signTypedData({ ...permit, domain }),
      };
      await expect(request(resigned)).rejects.toMatchObject(refused);
    }
  });

  test('ciphertexts that it does not cover, or that the user may not decrypt', async () => {
    const signed = await permitFor([handles[0]]);
    await expect(request(signed)).rejects.toMatchObject(refused);
    const wide = await permitFor([foreign]);
    await expect(request(wide, { handles: [foreign] })).rejects.toMatchObject({
      code: ClientErrorCode.NOT_AUTHORISED,
    });
  });

  test('another time', async () => {
    const { time } = real.chain.networkHelpers;
    const short = await permitFor(handles, 60);
    const late = { validFrom: BigInt(await time.latest()) + 500n };
    const validUntil = late.validFrom + 60n;
    const message = { ...short.permit.message, ...late, validUntil };
    const permit = { ...short.permit, message };
    const early = { permit, signature: await user.wallet!.signTypedData(permit) };
    await expect(request(early)).rejects.toMatchObject({
      code: ClientErrorCode.PERMIT_NOT_YET_VALID,
    });
    await time.increase(530);
    await expect(request(early)).resolves.toMatch(/^0x/);
    await expect(request(short)).rejects.toMatchObject({ code: ClientErrorCode.PERMIT_EXPIRED });
  });

  test('more than 30 days', async () => {
    await expect(permitFor(handles, 31 * 86_400)).rejects.toMatchObject({
      code: SdkErrorCode.PERMIT_INVALID,
    });
  });

  test.each(['', '{}', '[]', '{"chainId":"1"}', '{"handles":7}'])(
    'a file like %j is refused',
    (text) => {
      expect(() => readPermit(text)).toThrow(expect.objectContaining(refused));
    },
  );
});

describe('the meter', () => {
  test('counts a ciphertext once for each recipient', async () => {
    const before = (await meterOf(user, keyId)).commonSpent;
    await request(await permitFor());
    expect((await meterOf(user, keyId)).commonSpent).toBe(before);
    const second = createUserKeys(SET);
    const signed = await signPermit(user, {
      ...{ handles, publicKeyDigest: second.digest, validSeconds: HOUR },
    });
    await request(signed, { keys: second });
    expect((await meterOf(user, keyId)).commonSpent).toBe(before + 2n);
  });

  test('only its owner grants, and a grant is spent before what is common', async () => {
    const consumer = real.accountOf('user');
    const grant = { keyId, consumer, units: 1n };
    await expect(grantUnits(user, grant)).rejects.toMatchObject({
      code: ClientErrorCode.NOT_AUTHORISED,
    });
    const { commonSpent } = await meterOf(user, keyId);
    const { quota, spent } = await quotaOf(user, keyId, consumer);
    expect(quota).toBe(65_536n);
    await grantUnits(governor, grant);
    expect(await quotaOf(user, keyId, consumer)).toEqual({ quota: quota + 1n, spent });
    const fresh = createUserKeys(SET);
    const signed = await signPermit(user, {
      ...{ handles, publicKeyDigest: fresh.digest, validSeconds: HOUR },
    });
    await request(signed, { keys: fresh, handles: [handles[0]] });
    expect(await meterOf(user, keyId)).toMatchObject({ reservedSpent: 1n, commonSpent });
    await request(signed, { keys: fresh });
    expect((await meterOf(user, keyId)).commonSpent).toBe(commonSpent + BigInt(handles.length - 1));
    expect((await quotaOf(user, keyId, consumer)).spent).toBe(spent + BigInt(handles.length));
  });

  test('has a limit', async () => {
    const { limit, reserved, commonSpent } = await meterOf(user, keyId);
    const rest = limit - reserved - commonSpent;
    const consumer = real.accountOf('governor');
    const spent = { code: ClientErrorCode.METER_SPENT };
    await expect(grantUnits(governor, { keyId, consumer, units: rest + 1n })).rejects.toMatchObject(
      spent,
    );
    await grantUnits(governor, { keyId, consumer, units: rest });
    const outsider = await real.as('outsider');
    const handle = await register(4n, real.accountOf('outsider'));
    const signed = await signPermit(outsider, {
      ...{ handles: [handle], publicKeyDigest: keys.digest, validSeconds: HOUR },
    });
    await expect(request(signed, { handles: [handle] })).rejects.toMatchObject(spent);
  });
});

test('the answer’s deadline passes', async () => {
  const requestId = await request(await permitFor());
  await real.chain.networkHelpers.time.increase(7 * 86_400);
  await real.chain.networkHelpers.mine();
  await expect(waitForUserDecryption(user, requestId, keys, waiting)).rejects.toMatchObject({
    code: ClientErrorCode.REQUEST_EXPIRED,
  });
});

test('a ciphertext with more noise than its level allows is not registered', async () => {
  const bytes = encrypt(SET, publicKey, { scalar: 5n });
  await expect(registerCiphertext(governor, { keyId, bytes, noiseBits: 39 })).rejects.toMatchObject(
    { code: FheErrorCode.NOISE_TOO_LARGE, metadata: { noiseBits: 39, maxNoiseBits: 38 } },
  );
});
