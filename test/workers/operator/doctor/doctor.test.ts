import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { operatorRegistryAbi } from '../../../../workers/chain/abi.ts';
import type { GatewayClient } from '../../../../workers/chain/client.ts';
import { ChainErrorCode } from '../../../../workers/chain/errors.ts';
import { generatePeerKey } from '../../../../workers/net/host/index.ts';
import { bond, type Registered } from '../../../../workers/operator/doctor/chain.ts';
import { CHECKS, type Check, type CheckName } from '../../../../workers/operator/doctor/checks.ts';
import { asText, examine } from '../../../../workers/operator/doctor/doctor.ts';
import { coreDumps, openFiles, swap } from '../../../../workers/operator/doctor/machine.ts';
import { peers } from '../../../../workers/operator/doctor/network.ts';
import { serveHttp, type HttpView } from '../../../../workers/operator/public/http.ts';
import { insecureFastKdf } from '../../../../workers/store/encryption.ts';
import { createIdentity } from '../../../../workers/store/keystore.ts';
import { openStore } from '../../../../workers/store/store.ts';
import { RpcProxy } from '../../../faults/rpc-proxy.ts';
import {
  deployGateway,
  registerOperator,
  send,
  type TestDeployment,
} from '../../chain/support/deployment.ts';
import { account, startNode, type TestNode } from '../../chain/support/node.ts';
import { digestOf } from '../fake-chain.ts';
import { recordingLog } from '../harness.ts';

const PASSPHRASE = 'the doctor knows';
const signerKey = generatePrivateKey();
const signer = privateKeyToAccount(signerKey).address;
const owner = account(3);

let node: TestNode;
let deployment: TestDeployment;
let folder: string;
/** Ports that were free a moment ago. */
let p2p: number;
let httpPort: number;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
  await registerOperator(node, deployment, owner, signer);
});
afterAll(() => node.stop());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyloom-doctor-'));
  [p2p, httpPort] = [await freePort(), await freePort()];
  const peerKey = await generatePeerKey();
  const identity = { signerKey, peerKey };
  await createIdentity(join(folder, 'identity.json'), PASSPHRASE, identity, {
    kdf: insecureFastKdf,
  });
  await node.control.setBalance({ address: signer, value: parseEther('1') });
  await announce(`/ip4/127.0.0.1/tcp/${p2p}`, `http://127.0.0.1:${httpPort}`);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

async function listen(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) =>
    socket.on('error', () => undefined).end('something else'),
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

async function freePort(): Promise<number> {
  const { server, port } = await listen();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const announce = (multiaddr: string, endpoint: string) =>
  send(node, owner, {
    ...{ address: deployment.addresses.operatorRegistry, abi: operatorRegistryAbi },
    ...{ functionName: 'updateEndpoints', args: [multiaddr, endpoint] },
  });

const limits = (core: string, files: string): string =>
  `Max core file size        ${core}                    unlimited            bytes\n` +
  `Max open files            ${files}                 1048576              files\n`;

const machine = { limits: limits('0', '65536'), swaps: 'Filename\n', swapMax: undefined };

/** The doctor's findings about a configuration with these changes. */
async function findings(
  changes: Record<string, unknown> = {},
  { now = Date.now(), passphrase = PASSPHRASE } = {},
): Promise<Record<CheckName, Check>> {
  const file = join(folder, 'operator.json');
  const config = {
    ...{ identity: 'identity.json', dataDir: 'data', rpcUrls: [node.rpcUrl] },
    gateway: deployment.addresses.decryptionGateway,
    listen: [`/ip4/127.0.0.1/tcp/${p2p}`],
    http: { port: httpPort },
    // The node's time runs ahead of this machine's: each block is at least a second later.
    health: { clockSeconds: 3_600, freeBytes: 0 },
    ...changes,
  };
  writeFileSync(file, JSON.stringify(config));
  const told: Check[] = [];
  const note = (check: Check): void => void told.push(check);
  const checks = await examine(file, () => passphrase, note, { ...machine, now });
  expect(told).toEqual(checks);
  return Object.fromEntries(checks.map((check) => [check.name, check])) as Record<CheckName, Check>;
}

const textOf = (found: Record<string, Check>): string => Object.values(found).map(asText).join('');

/** Names of what is not ok. */
const wrong = (found: Record<string, Check>): Record<string, string> =>
  Object.fromEntries(
    Object.values(found)
      .filter(({ status }) => status !== 'ok')
      .map(({ name, status }) => [name, status]),
  );

describe('the doctor', () => {
  it('finds nothing wrong with what is right, before the first start', async () => {
    const found = await findings();
    expect(wrong(found)).toEqual({});
    expect(Object.keys(found)).toEqual(CHECKS);
  });

  it('checks what docs/metrics.md lists', () => {
    const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('## Doctor'));
    const listed = [...section.matchAll(/^\| `([a-z-]+)` /gmu)].map(([, name]) => name);
    expect(listed).toEqual(CHECKS);
  });

  it('says what to fix, and no secret', async () => {
    const found = await findings({}, { passphrase: 'wrong secret' });
    const text = textOf(found);
    expect(text).toContain('PROBLEM  passphrase: STORE_WRONG_PASSPHRASE');
    expect(text).toContain('to fix: ');
    for (const secret of ['wrong secret', signerKey, signerKey.slice(2)])
      expect(text).not.toContain(secret);
  });
});

describe('a problem is', () => {
  it('a configuration that does not parse: nothing else is looked at', async () => {
    expect(wrong(await findings({ http: { port: '80' } }))).toEqual({ configuration: 'problem' });
  });

  it('an identity that others may read', async () => {
    chmodSync(join(folder, 'identity.json'), 0o640);
    expect(await findings()).toMatchObject({
      ...{ identity: { status: 'problem' }, passphrase: { status: 'problem' } },
    });
  });

  it('an identity that is not there', async () => {
    const found = await findings({ identity: 'absent.json' });
    expect(found.identity.status).toBe('problem');
    expect(found.passphrase.status).toBe('problem');
  });

  it('a passphrase that does not open it', async () => {
    const found = await findings({}, { passphrase: 'another' });
    expect(found.passphrase.status).toBe('problem');
    for (const name of ['binding', 'registered', 'balance', 'peers'] as const)
      expect(found[name].status).toBe('skipped');
    expect(found.rpc.status).toBe('ok');
  });

  it('a data directory that is a file, or that others may enter', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect((await findings({ dataDir: 'file' }))['data-directory'].status).toBe('problem');
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o755);
    expect((await findings({ dataDir: 'open' }))['data-directory'].status).toBe('problem');
  });

  it('a disk without room', async () => {
    const health = { clockSeconds: 3_600, freeBytes: 2 ** 50 };
    expect(wrong(await findings({ health }))).toEqual({ disk: 'problem' });
  });

  it('an endpoint that does not answer, or another gateway', async () => {
    const rpcUrls = [`http://127.0.0.1:${await freePort()}/key-of-mine`];
    const found = await findings({ rpcUrls });
    expect(found.rpc.status).toBe('problem');
    expect(found.clock.status).toBe('skipped');
    expect(textOf(found)).not.toContain('key-of-mine');
    const gateway = deployment.addresses.operatorRegistry;
    expect((await findings({ gateway })).rpc.status).toBe('problem');
  });

  it('one of several endpoints that does not answer, or is not of the same chain', async () => {
    const proxy = await RpcProxy.start(node.rpcUrl);
    open.push(proxy);
    const rpcUrls = [node.rpcUrl, `${proxy.url}/key-of-mine`];
    expect(wrong(await findings({ rpcUrls }))).toEqual({});
    await proxy.fail({ kind: 'garbage' });
    const found = await findings({ rpcUrls });
    expect(wrong(found)).toEqual({ endpoints: 'problem' });
    expect(found.endpoints.detail).toContain('endpoint 1 (127.0.0.1:');
    expect(found.endpoints.detail).toContain(ChainErrorCode.RPC_UNREACHABLE);
    expect(textOf(found)).not.toContain('key-of-mine');
    await proxy.forward();
    // An endpoint that shows nothing of the last blocks, the gateway's among them.
    proxy.lies.head({ kind: 'frozen', height: 0n });
    expect((await findings({ rpcUrls })).endpoints.detail).toContain(ChainErrorCode.NO_GATEWAY);
    proxy.lies.repent();
    const other = await startNode();
    open.push({ close: () => other.stop() });
    const elsewhere = await deployGateway(other);
    expect(elsewhere.addresses).toEqual(deployment.addresses);
    expect((await findings({ rpcUrls: [node.rpcUrl, other.rpcUrl] })).endpoints).toMatchObject({
      status: 'problem',
      detail: expect.stringContaining('another chain') as string,
    });
  });

  it('a data directory of another deployment', async () => {
    const dataDir = join(folder, 'data');
    const chainId = 31_337n;
    for (const [gateway, expected] of [
      [deployment.addresses.operatorRegistry, 'problem'],
      [deployment.addresses.decryptionGateway, 'ok'],
    ] as const) {
      rmSync(dataDir, { recursive: true, force: true });
      const store = await openStore(dataDir, PASSPHRASE, { kdf: insecureFastKdf });
      store.bind({ chainId, gateway, signer });
      // While an operator runs on it, and when it has ended.
      expect((await findings()).binding.status).toBe(expected);
      store.close();
      expect((await findings()).binding.status).toBe(expected);
    }
  });

  it.each([-10_000, 10_000])('a clock that is off by %d s', async (seconds) => {
    expect(wrong(await findings({}, { now: Date.now() + seconds * 1_000 }))).toEqual({
      clock: 'problem',
    });
  });

  it('a signer that nobody registered, or that cannot pay', async () => {
    const other = { signerKey: generatePrivateKey(), peerKey: await generatePeerKey() };
    const path = join(folder, 'other.json');
    await createIdentity(path, PASSPHRASE, other, { kdf: insecureFastKdf });
    const found = await findings({ identity: 'other.json' });
    expect(wrong(found)).toEqual({
      ...{ registered: 'problem', balance: 'problem' },
      ...{ bond: 'skipped', multiaddr: 'skipped', endpoint: 'skipped' },
    });
  });

  it('a port that something else has', async () => {
    open.push((await listen(httpPort)).server);
    const found = await findings();
    expect(wrong(found)).toEqual({ ports: 'problem', endpoint: 'problem' });
  });

  it('an announced address that leads nowhere or elsewhere', async () => {
    await announce(`/ip4/127.0.0.1/tcp/${await freePort()}`, '');
    expect(wrong(await findings())).toEqual({ multiaddr: 'problem' });
    const { server, port } = await listen();
    open.push(server);
    await announce(`/ip4/127.0.0.1/tcp/${port}`, `http://127.0.0.1:${port}`);
    expect(wrong(await findings())).toEqual({ multiaddr: 'problem', endpoint: 'problem' });
  });
});

describe('an operator that runs', () => {
  it('may hold its ports, and is found where it says', async () => {
    const view = { health: async () => ({ signer, alive: true }) } as unknown as HttpView;
    const listenAt = { host: '127.0.0.1', port: httpPort };
    open.push(await serveHttp(view, listenAt, recordingLog()), (await listen(p2p)).server);
    expect(wrong(await findings())).toEqual({});
  });
});

describe('the machine', () => {
  const now = 0;
  it('may dump no core', () => {
    expect(coreDumps({ ...machine, now }).status).toBe('ok');
    expect(coreDumps({ ...machine, now, limits: limits('unlimited', '1') }).status).toBe('problem');
  });

  it('has enough files to open', () => {
    expect(openFiles({ ...machine, now }).status).toBe('ok');
    expect(openFiles({ ...machine, now, limits: limits('0', '1024') }).status).toBe('problem');
  });

  it.each([
    ['/dev/sda2 partition 8 0 -2', undefined, 'problem'],
    ['/dev/sda2 partition 8 0 -2', '0\n', 'ok'],
    ['/dev/sda2 partition 8 0 -2', 'max\n', 'problem'],
    ['/dev/zram0 partition 8 0 100', undefined, 'ok'],
  ])('swaps nothing to a disk: %s, of a limit %j, is %s', (line, swapMax, expected) => {
    const swaps = `Filename Type Size Used Priority\n${line}\n`;
    expect(swap({ ...machine, now, swaps, swapMax }).status).toBe(expected);
  });
});

describe('a bond', () => {
  const now = 1_700_000_000_000;
  const client = {
    contracts: { operatorRegistry: { read: { minimumBondWei: async () => 1_000n } } },
  } as unknown as GatewayClient;
  const good = { state: 1, removed: false, bondWei: 1_000n, benchedUntil: 0n };

  it.each([
    ['as it should be', {}, 'ok'],
    ['of one that was slashed', { removed: true }, 'problem'],
    ['of one that leaves', { state: 2 }, 'problem'],
    ['too small', { bondWei: 999n }, 'problem'],
    ['of one that is benched', { benchedUntil: 1_700_000_001n }, 'problem'],
    ['of one that was benched', { benchedUntil: 1_699_999_999n }, 'ok'],
  ])('%s', async (_, changes, expected) => {
    const entry = { ...good, ...changes } as unknown as Registered;
    expect((await bond(client, entry, now)).status).toBe(expected);
  });
});

describe('peers', () => {
  /** An epoch of four in which so many of the others answer. */
  async function epochWith(answering: number, phase = 3): Promise<GatewayClient> {
    const operators = [1, 2, 3, 4].map((index) => account(index).address);
    const listeners = await Promise.all([0, 0, 0].map(async () => listen()));
    const closed = listeners.slice(answering);
    await Promise.all(closed.map(({ server }) => new Promise((done) => server.close(done))));
    open.push(...listeners.slice(0, answering).map(({ server }) => server));
    const multiaddr = (operator: string): string =>
      `/ip4/127.0.0.1/tcp/${listeners[operators.indexOf(operator as typeof signer) - 1]?.port}`;
    const none = `0x${'00'.repeat(32)}`;
    const read = {
      epochIdOf: async ([number]: [number]) => (number === 1 ? digestOf('epoch') : none),
      epoch: async () => ({ phase, operators, signers: [signer, ...operators.slice(1)] }),
      getOperator: async ([operator]: [string]) => ({ multiaddr: multiaddr(operator) }),
    };
    const contracts = { epochManager: { read }, operatorRegistry: { read } };
    return { contracts } as unknown as GatewayClient;
  }

  it.each([
    [3, 3, 'ok'],
    [2, 3, 'ok'],
    [1, 3, 'problem'],
    [0, 4, 'ok'],
  ])('%d of which answer in an epoch of phase %d are %s', async (answering, phase, expected) => {
    expect((await peers(await epochWith(answering, phase), signer)).status).toBe(expected);
  });
});
