import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAddress, type Address } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { loadConfig } from '../../../../workers/operator/config/config.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { initialise } from '../../../../workers/operator/init/init.ts';
import { nextSteps } from '../../../../workers/operator/init/next-steps.ts';
import {
  announcedAddress,
  announcedEndpoint,
  type Registration,
} from '../../../../workers/operator/init/registration.ts';
import type { InitOptions } from '../../../../workers/operator/init/settings.ts';
import { insecureFastKdf } from '../../../../workers/store/encryption.ts';
import { loadIdentity } from '../../../../workers/store/keystore.ts';
import { openStore } from '../../../../workers/store/store.ts';
import {
  deployGateway,
  registerOperator,
  type TestDeployment,
} from '../../chain/support/deployment.ts';
import { account, startNode, type TestNode } from '../../chain/support/node.ts';

const PASSPHRASE = 'from nothing';
const base = mkdtempSync(join(tmpdir(), 'keyloom-init-'));
const FILES = ['data', 'identity.json', 'operator.json', 'registration.json'];

let node: TestNode;
let deployment: TestDeployment;
let gateway: Address;
let given: InitOptions;

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
  gateway = getAddress(deployment.addresses.decryptionGateway);
  const [p2p, http, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
  given = {
    ...{ rpc: [node.rpcUrl], gateway, host: 'one.example', endpoint: 'https://one.example' },
    ...{ 'p2p-port': String(p2p), 'http-port': String(http), 'metrics-port': String(metrics) },
  };
});
afterAll(async () => {
  rmSync(base, { recursive: true });
  await node.stop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const folderFor = (name: string): string => join(base, name);
const run = (
  folder: string,
  options: InitOptions = given,
  { passphrase = PASSPHRASE, ask }: { passphrase?: string; ask?: () => Promise<string> } = {},
) => {
  const person = { passphrase: async () => passphrase, say: () => {}, ask };
  return initialise(folder, options, person, insecureFastKdf);
};
const contents = (folder: string): string[] =>
  FILES.slice(1).map((name) => readFileSync(join(folder, name), 'utf8'));
const registrationIn = (folder: string): Registration =>
  JSON.parse(readFileSync(join(folder, 'registration.json'), 'utf8')) as Registration;

describe('a folder', () => {
  test('is made whole, kept as it is, and completed', async () => {
    const folder = folderFor('whole');
    const made = await run(folder);
    expect(made.kept).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(FILES);
    const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;
    expect(['', 'data', 'identity.json', 'operator.json'].map(modeOf)).toEqual([
      ...[0o700, 0o700, 0o600, 0o600],
    ]);
    expect(loadConfig(join(folder, 'operator.json'))).toMatchObject({
      ...{ rpcUrls: given.rpc, gateway, dataDir: join(folder, 'data') },
      listen: [`/ip4/0.0.0.0/tcp/${given['p2p-port']}`],
      http: { host: '127.0.0.1', port: Number(given['http-port']) },
      metrics: { host: '127.0.0.1', port: Number(given['metrics-port']) },
    });
    const { signerKey } = await loadIdentity(join(folder, 'identity.json'), PASSPHRASE);
    expect(registrationIn(folder)).toMatchObject({
      ...{ chainId: '31337', gateway, signer: privateKeyToAddress(signerKey) },
      multiaddr: `/dns/one.example/tcp/${given['p2p-port']}`,
      endpoint: 'https://one.example',
    });

    const before = contents(folder);
    for (const options of [given, {}]) {
      const again = await run(folder, options);
      expect([...again.kept].sort()).toEqual(FILES);
      expect(contents(folder)).toEqual(before);
    }

    // At every point at which it could have been cut off.
    for (const name of FILES) {
      rmSync(join(folder, name), { recursive: true });
      const { kept } = await run(folder, name === 'identity.json' ? {} : given).catch(
        // Another identity is not that of the registration.
        (error: { code: string }) => ({ kept: [error.code] }),
      );
      if (name === 'identity.json') {
        expect(kept).toEqual([OperatorErrorCode.INIT_CONFLICT]);
        unlinkSync(join(folder, 'registration.json'));
        await run(folder);
      } else expect(kept.length).toBe(FILES.length - 1);
      expect(readdirSync(folder).sort()).toEqual(FILES);
    }
  });

  test('gets new addresses with a new registration', async () => {
    const folder = folderFor('moved');
    await run(folder);
    const { signer } = registrationIn(folder);
    await expect(run(folder, { host: '192.0.2.7' })).rejects.toMatchObject({
      code: OperatorErrorCode.INIT_CONFLICT,
    });
    unlinkSync(join(folder, 'registration.json'));
    await run(folder, { host: '192.0.2.7', endpoint: 'https://two.example' });
    const multiaddr = `/ip4/192.0.2.7/tcp/${given['p2p-port']}`;
    expect(registrationIn(folder)).toMatchObject({ signer, multiaddr });
  });

  test('that has other things is not touched', async () => {
    const folder = folderFor('other');
    await run(folder);
    const before = contents(folder);
    const conflict = { code: OperatorErrorCode.INIT_CONFLICT };
    for (const options of [
      { rpc: ['http://127.0.0.1:1'] },
      { gateway: account(1).address },
      { 'p2p-port': '1' },
      { endpoint: 'https://two.example' },
    ])
      await expect(run(folder, options)).rejects.toMatchObject(conflict);
    await expect(run(folder, {}, { passphrase: 'another' })).rejects.toMatchObject({
      code: 'STORE_WRONG_PASSPHRASE',
    });
    expect(contents(folder)).toEqual(before);

    const store = await openStore(join(folder, 'data'), PASSPHRASE);
    store.bind({ chainId: 1n, gateway, signer: registrationIn(folder).signer });
    store.close();
    await expect(run(folder)).rejects.toMatchObject(conflict);
    expect(contents(folder)).toEqual(before);
  });
});

describe('nothing is written', () => {
  it.each<[string, () => Partial<InitOptions>, string]>([
    ['without a gateway there', () => ({ gateway: account(1).address }), 'CHAIN_NO_GATEWAY'],
    ['without an endpoint', () => ({ rpc: ['http://127.0.0.1:1'] }), 'CHAIN_RPC_UNREACHABLE'],
    ['for what is no address', () => ({ gateway: '0x12' }), OperatorErrorCode.CONFIG_INVALID],
    ['for what is no port', () => ({ 'p2p-port': 'x' }), OperatorErrorCode.ADDRESS_INVALID],
    ['for what is no host', () => ({ host: 'a:1/b' }), OperatorErrorCode.ADDRESS_INVALID],
    ['for what is no URL', () => ({ endpoint: 'a.b' }), OperatorErrorCode.ADDRESS_INVALID],
    ['if there is nobody to ask', () => ({ host: undefined }), OperatorErrorCode.INIT_INCOMPLETE],
    [
      'if a port is taken',
      () => ({ 'http-port': new URL(node.rpcUrl).port }),
      OperatorErrorCode.PORT_UNUSABLE,
    ],
  ])('%s', async (name, options, code) => {
    const folder = folderFor(name);
    await expect(run(folder, { ...given, ...options() })).rejects.toMatchObject({ code });
    expect(existsSync(folder)).toBe(false);
  });

  it('where there is no right to', async () => {
    writeFileSync(folderFor('a file'), '');
    await expect(run(join(folderFor('a file'), 'folder'))).rejects.toMatchObject({
      code: OperatorErrorCode.INIT_WRITE_FAILED,
    });
  });
});

it('asks for what is missing, and only for that', async () => {
  const { host, endpoint, ...others } = given;
  const answers = ['', host ?? '', ` ${endpoint} `];
  const folder = folderFor('asked');
  const made = await run(folder, others, { ask: async () => answers.shift()! });
  expect(answers).toEqual([]);
  expect(made.registration).toMatchObject({ endpoint });
});

it('says what comes next, and what it costs', async () => {
  const made = await run(folderFor('next'));
  const { signer } = made.registration;
  const before = await nextSteps(made);
  expect(before).toMatch(new RegExp(`Send \\S+ ETH for gas to the signer, ${signer}`, 'u'));
  expect(before).toContain('kms operator register --in registration.json');
  await registerOperator(node, deployment, account(4), signer);
  await node.control.setBalance({ address: signer, value: 10n ** 20n });
  const after = await nextSteps(made);
  expect(after).toContain('Nothing to pay');
  expect(after).toContain(`it is operator ${account(4).address}`);
});

test.each([
  ['192.0.2.1', '/ip4/192.0.2.1/tcp/7'],
  ['2001:db8::1', '/ip6/2001:db8::1/tcp/7'],
  ['a-b.example', '/dns/a-b.example/tcp/7'],
])('%s is announced as %s', (host, address) => {
  expect(announcedAddress(host, 7)).toBe(address);
});

test.each(['', '-a', 'a b', '/ip4/1.2.3.4', '1.2.3.4:9101', `${'a'.repeat(64)}/`])(
  '%j is no host',
  (host) => {
    const invalid = { code: OperatorErrorCode.ADDRESS_INVALID };
    expect(() => announcedAddress(host, 7)).toThrow(expect.objectContaining(invalid));
    expect(() => announcedEndpoint(`ftp://${host}`)).toThrow(expect.objectContaining(invalid));
  },
);
