import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestClient, http, parseAbi, parseEther, type Address, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { governor, operatorOwner } from '../../devnet/accounts.ts';
import { startOperators } from '../../devnet/cluster.ts';
import { startDevnet, type Devnet } from '../../devnet/devnet.ts';
import type { OperatorProcess } from '../../devnet/operator-process.ts';
import { send } from '../../tasks/support/transactions.ts';
import { blobDigest, parameterSet } from '../../sdk/index.ts';
import { seal } from '../../workers/fhe/seal.ts';
import { compute } from '../workers/fhe/evaluation.ts';
import { CommandLine, failureIn } from './command-line.ts';

const SET = 'insecure-bfv-1024-b17';
const UNKNOWN = `0x${'ab'.repeat(32)}`;
/** A funded account without any role, and the owner of an operator that never runs. */
const STRANGER = '8';
const FIFTH = 9;

let devnet: Devnet;
let operators: OperatorProcess[];
let kms: CommandLine;

interface Key {
  keyId: Hex;
  digest: Hex;
  requested: boolean;
}
interface EvaluationKeys extends Key {
  evaluationKeys: { requestId: Hex; kind: string; entries: unknown[] }[];
}
interface Ciphertext {
  handle: Hex;
}
interface Decryption {
  requestId: Hex;
  plaintexts: { handle: Hex; coefficients: string[]; slots?: string[] }[];
  signers: number[];
}

/** What earlier tests made, for later ones. */
const ids = { epoch: '', key: '', slots: '', scalar: '', request: '', proven: '', left: '' };

beforeAll(async () => {
  devnet = await startDevnet();
  operators = await startOperators(devnet, 4);
  const file = join(devnet.workspace.folder, 'deployment.json');
  const { gateway } = devnet.deployment;
  writeFileSync(file, JSON.stringify({ rpcUrl: devnet.chain.rpcUrl, gateway }));
  kms = new CommandLine(file);
});

afterAll(async () => {
  await devnet?.close();
});

describe('from nothing to a plaintext', () => {
  test('an operator registers with its bond, and the list says who answers', async () => {
    const fifth = operatorOwner(FIFTH - 1);
    await send(await devnet.as(fifth), {
      address: devnet.deployment.bondToken,
      abi: parseAbi(['function mint(address account, uint256 amountWei)']),
      functionName: 'mint',
      args: [fifth.address, parseEther('1000000')],
    });
    const file = join(devnet.workspace.folder, 'registration.json');
    const registration = {
      ...{ format: 'keyloom-registration/1', chainId: String(devnet.chain.chainId) },
      ...{ gateway: devnet.deployment.gateway, peerIdBytes: '0x0102' },
      ...{ signer: '0x00000000000000000000000000000000000000A5' },
      ...{ multiaddr: '/ip4/127.0.0.1/tcp/1', endpoint: 'http://127.0.0.1:2' },
    };
    const register = ['operator', 'register', '--in', file, '--from', String(FIFTH)];
    const update = ['operator', 'update', '--in', file, '--from', String(FIFTH)];
    for (const [content, code] of [
      ['{', 'INVALID_ARGUMENT'],
      ['null', 'INVALID_ARGUMENT'],
      [JSON.stringify({ ...registration, signer: 'x' }), 'INVALID_ARGUMENT'],
      [JSON.stringify({ ...registration, chainId: '1' }), 'WRONG_DEPLOYMENT'],
      [JSON.stringify({ ...registration, gateway: governor.address }), 'WRONG_DEPLOYMENT'],
    ]) {
      writeFileSync(file, content);
      expect(await kms.failure(...register)).toMatchObject({ code });
    }
    writeFileSync(file, JSON.stringify(registration));
    expect(await kms.failure(...update)).toMatchObject({ code: 'STAKE_STATE' });
    expect(await kms.json(...register, '--bond', '2.5')).toMatchObject({
      operator: fifth.address,
      bondWei: String(parseEther('2.5')),
    });
    expect(await kms.failure(...register)).toMatchObject({ code: 'STAKE_STATE' });
    writeFileSync(file, JSON.stringify({ ...registration, endpoint: 'http://127.0.0.1:1' }));
    expect(await kms.json(...update)).toMatchObject({ endpoint: 'http://127.0.0.1:1' });
    const { operators: listed } = await kms.json<{
      operators: { operator: Address; eligible: boolean; health: { status: string } }[];
    }>('operator', 'list');
    expect(listed.map(({ eligible, health }) => [eligible, health.status])).toEqual([
      ...operators.map(() => [true, 'ok']),
      [true, 'no answer'],
    ]);
    expect(listed.at(-1)?.operator).toBe(fifth.address);
  });

  test('a proposed committee becomes an epoch', async () => {
    expect(await kms.failure('keygen', '--label', 'first')).toMatchObject({
      code: 'EPOCH_NOT_ACTIVE',
    });
    const owners = operators.map(({ index }) => operatorOwner(index).address).join(',');
    const run = await kms.run(['epoch', 'propose', '--operators', owners, '--salt', '1', '--json']);
    expect(run.exitCode).toBe(0);
    const epoch = JSON.parse(run.stdout) as { epochId: string; confirmed: number[] };
    expect(epoch.confirmed.length).toBeGreaterThanOrEqual(3);
    expect(run.stderr).toContain('proposing the committee');
    ids.epoch = epoch.epochId;
    const { epochs } = await kms.json<{ epochs: unknown[] }>('epoch', 'list');
    expect(epochs).toMatchObject([{ epochId: ids.epoch, phase: 'Active', n: 4 }]);
  });

  test('the committee makes a key; asking again finds the same one', async () => {
    const out = join(devnet.workspace.folder, 'public.key');
    const request = ['keygen', '--set', SET, '--label', 'first'];
    const key = await kms.json<Key>(...request, '--out', out);
    expect(key.requested).toBe(true);
    expect(`0x${createHash('sha256').update(readFileSync(out)).digest('hex')}`).toBe(key.digest);
    ids.key = key.keyId;
    expect(await kms.json(...request)).toMatchObject({ keyId: key.keyId, requested: false });
  });

  test('what was encrypted comes back, as slots and as coefficients', async () => {
    const encrypt = ['encrypt', '--key', ids.key];
    ids.slots = (await kms.json<Ciphertext>(...encrypt, '--slots', '7,0,120832')).handle;
    ids.scalar = (await kms.json<Ciphertext>(...encrypt, '--scalar', '42')).handle;
    const both = await kms.json<Decryption>('decrypt', '--handle', `${ids.slots},${ids.scalar}`);
    expect(both.plaintexts[0]?.slots).toEqual(
      Object.assign(Array<string>(1024).fill('0'), ['7', '0', '120832']),
    );
    expect(both.plaintexts[1]?.coefficients).toEqual(
      Object.assign(Array<string>(1024).fill('0'), ['42']),
    );
    const some = await kms.json<Decryption>(
      ...['decrypt', '--handle', ids.scalar, '--positions', '0,5'],
    );
    expect(some.plaintexts).toEqual([{ handle: ids.scalar, coefficients: ['42', '0'] }]);
    expect(some.signers).toHaveLength(3);
    ids.request = some.requestId;
  });

  test('people get the same as text', async () => {
    const run = await kms.run(['decrypt', '--handle', ids.slots]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain(
      `ciphertext ${ids.slots}\n  slots: 7, 0, 120832 (then 1021 zeros)`,
    );
    expect(run.stderr).toContain('requested decryption');
  });

  test('status tells ids apart', async () => {
    const kinds = { key: 'key', slots: 'ciphertext', request: 'decryption' };
    for (const [name, kind] of Object.entries(kinds))
      expect(await kms.json('status', ids[name as keyof typeof kinds])).toMatchObject({ kind });
    expect(await kms.json('status')).toMatchObject({
      kind: 'deployment',
      operators: 5,
      activeEpochs: [ids.epoch],
      keys: [{ keyId: ids.key, state: 'Active' }],
    });
    expect(await kms.json('epoch', 'status', ids.epoch)).toMatchObject({ phase: 'Active', n: 4 });
    expect(await kms.json('parameters', 'list')).toMatchObject({
      parameterSets: expect.arrayContaining([expect.objectContaining({ name: SET })]) as unknown,
    });
  });
});

test('fees are quoted, deposited, shown and withdrawn', async () => {
  interface Balance {
    account: Address;
    balanceWei: string;
    operator?: { unsettledRequests: number };
  }
  const { quotes } = await kms.json<{ quotes: { what: string; feeWei: string }[] }>(
    ...['fees', 'quote', '--set', SET, '--handles', '2'],
  );
  const scalar = quotes.find(({ what }) => what.startsWith('decryption of one coefficient'));
  expect(scalar).toMatchObject({ what: 'decryption of one coefficient of 2 ciphertexts' });
  expect(await kms.json('status', ids.request)).toMatchObject({
    fee: { feeWei: scalar?.feeWei, signers: expect.any(Array) as unknown },
  });
  const as = ['--from', STRANGER];
  expect(await kms.json('fees', 'deposit', '--amount', '2.5', ...as)).toMatchObject({
    balanceWei: String(parseEther('2.5')),
  });
  expect(await kms.failure('fees', 'withdraw', '--amount', '2.6', ...as)).toMatchObject({
    code: 'FEE_UNAFFORDABLE',
  });
  await kms.json('fees', 'withdraw', '--amount', '1', ...as);
  const balance = await kms.json<Balance>('fees', 'balance', ...as);
  expect(balance).toMatchObject({ balanceWei: String(parseEther('1.5')) });
  expect(balance.operator).toBeUndefined();
  const owner = operatorOwner(1).address;
  const earned = await kms.json<Balance>('fees', 'balance', '--account', owner);
  expect(earned.operator?.unsettledRequests).toBeTypeOf('number');
  const run = await kms.run(['fees', 'quote', '--set', SET]);
  expect(run.stdout).toMatch(/^key +1 DEVNET$/m);
});

describe('keys to compute with, and plaintexts for one user', () => {
  const path = (name: string): string => join(devnet.workspace.folder, name);
  const bytesIn = (name: string): Uint8Array => new Uint8Array(readFileSync(path(name)));

  beforeAll(async () => {
    const pair = ['user-keys', '--set', SET, '--out', path('me')];
    expect(await kms.json(...pair)).toMatchObject({ secretFile: path('me/secret.key') });
    expect(await kms.failure(...pair)).toMatchObject({ code: 'FILE_FAILED' });
  });

  test('evaluation keys are made once, and downloaded as files for SEAL', async () => {
    const request = ['keygen', '--set', SET, '--label', 'first', '--relin', '--galois', '1,-1,0'];
    const made = await kms.json<EvaluationKeys>(...request);
    expect(made.keyId).toBe(ids.key);
    expect(made.evaluationKeys.map(({ kind, entries }) => [kind, entries.length])).toEqual([
      ['relinearization', 1],
      ['galois', 3],
    ]);
    expect((await kms.json<EvaluationKeys>(...request)).evaluationKeys).toMatchObject(
      made.evaluationKeys.map(({ requestId, entries }) => ({ requestId, entries })),
    );
    for (const kind of ['public', 'relin', 'galois'])
      await kms.json('key', 'download', ids.key, `--${kind}`, '--out', path(kind));
    expect(await kms.json('status', made.evaluationKeys[1].requestId)).toMatchObject({
      ...{ kind: 'evaluationKeys', keys: 'galois', state: 'Recorded' },
    });
  });

  test('what was proven offline is registered without a role, by nobody but its owner', async () => {
    const { chainId, addresses } = await kms.json<{
      chainId: string;
      addresses: { ciphertextRegistry: Address };
    }>('status');
    const statement = ['--set', SET, '--public-key-file', path('public')];
    statement.push('--chain-id', chainId, '--registry', addresses.ciphertextRegistry);
    const files = ['--out', path('slots'), '--proof-out', path('proof')];
    const values = ['--owner', governor.address, '--slots', '1,2,3'];
    await kms.json('prove', ...statement, ...values, ...files);
    const check = ['verify', ...statement, '--in', path('slots'), '--proof', path('proof')];
    expect(await kms.json(...check, '--owner', governor.address)).toMatchObject({ valid: true });
    expect(await kms.failure(...check, '--owner', addresses.ciphertextRegistry)).toMatchObject({
      code: 'PROOF_DIGEST_MISMATCH',
    });
    const register = ['register', '--key', ids.key, '--in', path('slots')];
    const proven = [...register, '--proof', path('proof')];
    expect(await kms.failure(...proven, '--from', STRANGER)).toMatchObject({
      code: 'REGISTRATION_REFUSED',
    });
    const registered = await kms.json<Ciphertext>(...proven);
    expect(registered).toMatchObject({ origin: 'lattice', owner: governor.address });
    // It is there, which is what was wanted.
    expect(await kms.json(...proven)).toMatchObject({ handle: registered.handle });
    expect(await kms.failure(...register, '--noise-bits', '20')).toMatchObject({
      code: 'NOT_AUTHORISED',
    });
    ids.proven = registered.handle;
  });

  test('operators compute what stock SEAL computes', async () => {
    const program = ['compute', '--program', 'rotate(a, 1)', '--with', `a=${ids.proven}`];
    const computed = await kms.json<Ciphertext & { digest: Hex }>(...program);
    expect(computed).toMatchObject({ origin: 'computed', program: 'rotate(a, 1)' });
    const files = { galois: bytesIn('galois') };
    const { left } = compute(parameterSet(SET), files, ({ evaluator, galois, load }, own) => {
      const left = own(new seal.Ciphertext());
      evaluator.rotateRows(load(bytesIn('slots')), 1, galois, left);
      return { left };
    });
    expect(blobDigest(left)).toBe(computed.digest);
    ids.left = computed.handle;
    expect(await kms.failure(...program, '--from', STRANGER)).toMatchObject({ code: 'REVERTED' });
    const [, , , ...names] = program;
    expect(await kms.failure('compute', '--program', 'rotate(a 1)', ...names)).toMatchObject({
      code: 'EXPRESSION_UNEXPECTED',
    });
  });

  test('what was computed is read by the user alone', async () => {
    const ask = ['user-decrypt', '--key-file', path('me/secret.key')];
    const full = await kms.json<Decryption>(...ask, '--handle', ids.left);
    expect(full.plaintexts[0]?.slots?.slice(0, 3)).toEqual(['2', '3', '0']);
    const both = `${ids.scalar},${ids.left}`;
    const packed = await kms.json<Decryption>(...ask, '--packed', '--handle', both);
    expect(packed.plaintexts[0]).toEqual({ handle: ids.scalar, coefficients: ['42'] });
    expect(await kms.json('status', packed.requestId)).toMatchObject({
      ...{ kind: 'userDecryption', state: 'Answered', packed: true },
    });
  });

  test('somebody else asks with a signed permit, for nothing but what it covers', async () => {
    const sign = ['permit', '--handle', ids.scalar, '--key-file', path('me/public.key')];
    await kms.json(...sign, '--out', path('permit.json'));
    const ask = ['user-decrypt', '--key-file', path('me/secret.key'), '--from', STRANGER];
    ask.push('--permit', path('permit.json'), '--packed');
    const { plaintexts } = await kms.json<Decryption>(...ask);
    expect(plaintexts[0]?.coefficients).toEqual(['42']);
    const refused = { code: 'PERMIT_REFUSED' };
    expect(await kms.failure(...ask, '--handle', ids.left)).toMatchObject(refused);
    await kms.json('user-keys', '--set', SET, '--out', path('other'));
    const otherKey = ['--key-file', path('other/secret.key')];
    const replayed = ['user-decrypt', ...otherKey, '--permit', path('permit.json')];
    expect(await kms.failure(...replayed)).toMatchObject(refused);
  });

  test('the meter counts each ciphertext once for each recipient', async () => {
    // Publicly the two of the first tests, and for the user what the last two tests asked for.
    expect(await kms.json('key', 'status', ids.key)).toMatchObject({
      ...{ meter: { commonSpent: '4', reserved: '0' } },
    });
    const grant = ['meter', 'grant', '--key', ids.key, '--account', governor.address];
    expect(await kms.json(...grant, '--units', '5')).toMatchObject({ reserved: '5' });
    const quota = { quota: '65541', spent: '4' };
    expect(await kms.json('meter', 'status', ids.key, '--account', governor.address)).toMatchObject(
      { quota },
    );
    expect(await kms.failure(...grant, '--units', '99999999999')).toMatchObject({
      code: 'METER_SPENT',
    });
  });

  test('a ciphertext goes from one key to another, once both owners agree', async () => {
    const { keyId } = await kms.json<Key>('keygen', '--set', SET, '--label', 'target');
    const switching = ['keyswitch', '--from', ids.key, '--to', keyId];
    expect(await kms.failure(...switching)).toMatchObject({ code: 'NOT_AUTHORISED' });
    expect(await kms.failure(...switching, '--allow', '--account', STRANGER)).toMatchObject({
      code: 'NOT_AUTHORISED',
    });
    await kms.json(...switching, '--allow');
    const download = ['key', 'download', keyId, '--switch-from', ids.key];
    await kms.json(...download, '--out', path('switch'));
    const rekey = ['compute', '--key', keyId, '--program', 'rekey(a)', '--with', `a=${ids.left}`];
    const { handle } = await kms.json<Ciphertext>(...rekey);
    const { plaintexts } = await kms.json<Decryption>('decrypt', '--handle', handle);
    expect(plaintexts[0]?.slots?.slice(0, 3)).toEqual(['2', '3', '0']);
    expect(await kms.json('key', 'status', keyId)).toMatchObject({ sources: [ids.key] });
  });

  test.each<[string, (key: string) => string[], string]>([
    [
      'an unknown rotation',
      () => ['keygen', '--label', 'x', '--galois', '4096'],
      'GALOIS_STEP_INVALID',
    ],
    [
      'rotations without slots',
      () => ['keygen', '--label', 'x', '--set', 'bfv-8192-w16', '--galois', 'default'],
      'INVALID_ARGUMENT',
    ],
    [
      'keys that were not made',
      (key) => ['key', 'download', key, '--galois', '--steps', '2', '--out', path('x')],
      'EVALUATION_KEYS_MISSING',
    ],
    ['a key to itself', (key) => ['keyswitch', '--from', key, '--to', key], 'SWITCHING_REFUSED'],
    [
      'a permit for too long',
      () => [
        ...['permit', '--handle', UNKNOWN, '--key-file', path('me/public.key')],
        ...['--out', path('x'), '--valid-for', '9999999'],
      ],
      'PERMIT_INVALID',
    ],
  ])('%s', async (_, argumentsFor, code) => {
    expect(await kms.failure(...argumentsFor(ids.key))).toMatchObject({ code });
  });
});

describe('what goes wrong has a code', () => {
  test.each<[string, string[], string]>([
    ['a key that does not exist', ['encrypt', '--key', UNKNOWN, '--scalar', '1'], 'UNKNOWN_KEY'],
    ['an unregistered ciphertext', ['decrypt', '--handle', UNKNOWN], 'NOT_REGISTERED'],
    ['an epoch that does not exist', ['epoch', 'status', UNKNOWN], 'UNKNOWN_EPOCH'],
    ['a network without a gateway', ['status', '--network', 'default'], 'GATEWAY_UNKNOWN'],
    [
      'an address without a gateway',
      ['status', '--gateway', governor.address],
      'NO_GATEWAY_AT_ADDRESS',
    ],
    ['an account that is not there', ['keygen', '--label', 'x', '--from', '99'], 'NO_ACCOUNT'],
    ['a set that exists already', ['parameters', 'add', '--set', SET], 'PARAMETER_SET_REFUSED'],
  ])('%s', async (_, args, code) => {
    expect(await kms.failure(...args)).toMatchObject({ code });
  });

  test('an account without the role or the right', async () => {
    const { failure } = {
      failure: (...args: string[]) => kms.failure(...args, '--from', STRANGER),
    };
    const refused = { code: 'NOT_AUTHORISED' };
    expect(await failure('decrypt', '--handle', ids.scalar)).toMatchObject(refused);
  });

  test('positions that are not ascending', async () => {
    const args = ['decrypt', '--handle', ids.scalar, '--positions', '5,0'];
    expect(await kms.failure(...args)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('people read the code, what happened and what to do', async () => {
    const run = await kms.run(['status', UNKNOWN]);
    expect([run.exitCode, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toMatch(/^UNKNOWN_ID: .*\n {2}\S.*\n$/);
  });
});

describe('with fewer operators than a quorum', () => {
  const gone = [2, 4];
  let pending: Key['keyId'];

  beforeAll(async () => {
    for (const index of gone) await operators[index - 1].kill();
  });

  test('nothing is sent, and the missing ones are named', async () => {
    const before = (await kms.json<{ keys: unknown[] }>('status')).keys.length;
    const missing = { code: 'TOO_FEW_OPERATORS', culprits: gone };
    expect(await kms.failure('keygen', '--set', SET, '--label', 'second')).toMatchObject(missing);
    expect(await kms.failure('decrypt', '--handle', ids.scalar)).toMatchObject(missing);
    expect((await kms.json<{ keys: unknown[] }>('status')).keys.length).toBe(before);
  });

  test('a key asked for nevertheless stays pending and cannot be used', async () => {
    const args = ['keygen', '--set', SET, '--label', 'second', '--force', '--timeout', '1'];
    expect(await kms.failure(...args)).toMatchObject({ code: 'TOO_FEW_OPERATORS', culprits: gone });
    const { keys } = await kms.json<{ keys: { keyId: Hex; state: string }[] }>('status');
    const key = keys.find(({ state }) => state === 'Pending');
    pending = key!.keyId;
    expect(await kms.failure('encrypt', '--key', pending, '--scalar', '1')).toMatchObject({
      code: 'KEY_NOT_ACTIVE',
    });
  });

  test('a request that nobody can answer expires', async () => {
    const args = ['decrypt', '--handle', ids.scalar, '--positions', '0', '--force', '--json'];
    let passed: Promise<void> | undefined;
    const run = await kms.run(args, (stderr) => {
      if (stderr.includes('requested decryption')) passed ??= letTimePass(devnet);
    });
    await passed;
    expect(run.exitCode).toBe(1);
    expect(failureIn(run)).toMatchObject({ code: 'REQUEST_EXPIRED' });
  });

  test('once they are back, the expired key is asked for again under its id', async () => {
    for (const index of gone) {
      operators[index - 1].start();
      await operators[index - 1].waitHealthy();
    }
    expect(await kms.json('keygen', '--set', SET, '--label', 'second')).toMatchObject({
      keyId: pending,
      requested: true,
    });
  });
});

/** Moves the chain's clock past every deadline. */
async function letTimePass({ chain }: Devnet): Promise<void> {
  const client = createTestClient({ mode: 'hardhat', transport: http(chain.rpcUrl) });
  await client.increaseTime({ seconds: 7 * 86_400 });
  await client.mine({ blocks: 1 });
}
