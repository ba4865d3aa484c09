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
import { CommandLine, failureIn } from './command-line.ts';

const SET = 'insecure-bfv-1024';
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
interface Ciphertext {
  handle: Hex;
}
interface Decryption {
  requestId: Hex;
  plaintexts: { handle: Hex; coefficients: string[]; slots?: string[] }[];
  signers: number[];
}

/** What earlier tests made, for later ones. */
const ids = { epoch: '', key: '', slots: '', scalar: '', request: '' };

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
    const arguments_ = ['--signer', '0x00000000000000000000000000000000000000A5'];
    arguments_.push('--peer-id', '0x0102', '--multiaddr', '/ip4/127.0.0.1/tcp/1');
    arguments_.push('--endpoint', 'http://127.0.0.1:1', '--from', String(FIFTH));
    expect(await kms.json('operators', 'register', ...arguments_)).toMatchObject({
      operator: fifth.address,
    });
    const { operators: listed } = await kms.json<{
      operators: { operator: Address; eligible: boolean; health: { status: string } }[];
    }>('operators', 'list');
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
    expect(await failure('encrypt', '--key', ids.key, '--scalar', '1')).toMatchObject(refused);
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
