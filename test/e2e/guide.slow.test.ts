import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bytesToHex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { governor, operatorOwner } from '../../devnet/accounts.ts';
import { projectRoot } from '../../devnet/chain.ts';
import { startOperators } from '../../devnet/cluster.ts';
import { startDevnet, type Devnet } from '../../devnet/devnet.ts';
import { freePort } from '../../devnet/ports.ts';
import type { ManagedProcess } from '../../devnet/process.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { listProposals } from '../../tasks/support/epochs.ts';
import { labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import { fetchHealth, fetchRequestView } from '../../tasks/support/operators.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import type { Registration } from '../../workers/operator/init/registration.ts';
import { blocksOf, GUIDE, type Block, type Person } from './guide-pages.ts';
import { Shell } from './guide-shell.ts';

// A stranger's path: everything that the guide says is typed, in its order, by an operator, its owner and the
// governor of a running network of four operators; the stranger's is the fifth. The guide has one machine lost
// and restored, and ends with leaving.

const PROGRAM = join(projectRoot, 'workers/operator/main.ts');
const HARDHAT = join(
  dirname(createRequire(import.meta.url).resolve('hardhat/package.json')),
  'dist/src/cli.js',
);
const STRANGER = operatorOwner(5);
const KEYSTORE_PASSWORD = 'correct horse battery';
const secretOf = (account: typeof governor): string =>
  bytesToHex(account.getHdKey().privateKey ?? new Uint8Array());

/** What the doctor may find wrong with the machine that tests run on. */
const OF_THIS_MACHINE = ['open-files', 'core-dumps', 'swap'];

/** Added to the stranger's configuration: what operators of a local network have, whose clock runs ahead. */
const SETTINGS = { confirmations: 1, pollMs: 100, health: { clockSeconds: 2 ** 31 } };

/** Programs by these names, which are first in the path. */
const PROGRAMS = {
  'keyloom-operator': `exec '${process.execPath}' '${PROGRAM}' "$@"`,
  npx: `[ "$1" = hardhat ] && shift && exec '${process.execPath}' '${HARDHAT}' "$@"`,
  // No package of age itself is installed.
  'age-keygen': `exec '${process.execPath}' '${join(projectRoot, 'test/e2e/age-keygen.ts')}' "$@"`,
};

let devnet: Devnet;
let folder: string;
let shells: Record<Person, Shell>;
let substitutions: readonly (readonly [in_: string, out: string])[];
let endpoint: string;
let ownerEnv: Record<string, string>;
let running: ManagedProcess | undefined;

beforeAll(async () => {
  devnet = await startDevnet();
  await startOperators(devnet, 4);
  const { chain, deployment, workspace } = devnet;
  folder = join(workspace.folder, 'stranger');
  const programs = join(workspace.folder, 'programs');
  mkdirSync(folder);
  mkdirSync(programs);
  for (const [name, text] of Object.entries(PROGRAMS)) {
    writeFileSync(join(programs, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  const [p2p, http, metrics] = [await freePort(), await freePort(), await freePort()];
  endpoint = `http://127.0.0.1:${http}`;
  const here = `--host 127.0.0.1 --p2p-port ${p2p} --http-port ${http} --metrics-port ${metrics}`;
  const operators = [1, 2, 3, 5].map((index) => operatorOwner(index).address);
  substitutions = [
    ['https://rpc.example', chain.rpcUrl],
    ['0x0000000000000000000000000000000000000000', deployment.gateway],
    ['--host operator.example', here],
    ['--host new.example', here],
    ['https://kms.operator.example', endpoint],
    ['https://kms.new.example', endpoint],
    ['http://127.0.0.1:8080', endpoint],
    ['http://127.0.0.1:9464', `http://127.0.0.1:${metrics}`],
    ['OPERATOR_1,OPERATOR_2,OPERATOR_3,OPERATOR_5', operators.join()],
  ];
  const path = `${programs}:${process.env.PATH}`;
  const env = { HOME: folder, PATH: path, NO_COLOR: '1', TERM: 'dumb' };
  const kms = { ...env, HARDHAT_CONFIG: join(projectRoot, 'hardhat.config.ts') };
  ownerEnv = { ...kms, XDG_CONFIG_HOME: join(folder, 'config') };
  const stored = [chain.rpcUrl, secretOf(STRANGER)];
  shells = {
    operator: new Shell(folder, 'operator', env),
    owner: new Shell(folder, 'owner', ownerEnv, [
      [/(?:Enter the password|confirm your password): $/u, () => KEYSTORE_PASSWORD],
      [/Enter secret to store[^\n]*: $/u, () => stored.shift()!],
    ]),
    // The other way: secrets from the environment.
    governor: new Shell(folder, 'governor', {
      ...kms,
      ...{ KEYLOOM_RPC_URL: chain.rpcUrl, KEYLOOM_ACCOUNT_KEY: secretOf(governor) },
    }),
  };
});

afterAll(() => devnet?.close());

beforeEach(({ onTestFailed }) => onTestFailed(() => void devnet.workspace.keepLogs()));

const substituted = (text: string): string =>
  substitutions.reduce((current, [from, to]) => current.replaceAll(from, to), text);

async function runBlock(block: Block): Promise<void> {
  const text = substituted(block.text);
  // The machine is lost.
  if (text.includes('backup restore')) await running?.kill();
  if (block.isBackground) return startIn(text);
  const run = await shells[block.person!].run(text);
  const output = `${run.stdout}${run.stderr}`;
  const problems = [...output.matchAll(/^PROBLEM +([\w-]+):/gmu)].map(([, name]) => name);
  const isExcused =
    problems.length > 0 && problems.every((name) => OF_THIS_MACHINE.includes(name ?? ''));
  if (run.exitCode !== block.exits && !isExcused)
    throw new Error(`${block.at} exited with ${run.exitCode}\n${text}\n${output}`);
  for (const [, made = ''] of text.matchAll(/ init --folder (\S+)/gu)) configure(made);
}

function configure(made: string): void {
  const file = join(folder, made, 'operator.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...config, ...SETTINGS }));
}

/** Starts the operator as the block does, and waits until it serves. */
async function startIn(text: string): Promise<void> {
  const [command, ...args] = text.trim().split(/\s+/u);
  expect(command).toBe('keyloom-operator');
  const options = { args: [PROGRAM, ...args], cwd: folder };
  running = devnet.workspace.start('stranger', options);
  await waitUntil('the stranger’s operator serves', async () => {
    const health = await fetchHealth(endpoint).catch(() => undefined);
    return health?.reasons.length === 0 ? health : undefined;
  });
}

const registration = (): Registration =>
  JSON.parse(readFileSync(join(folder, 'operator/registration.json'), 'utf8')) as Registration;

/** A key of the stranger's epoch is made, with its signature. */
async function isServedByStranger(label: string): Promise<void> {
  const gateway = await devnet.as(governor);
  const epoch = (await listProposals(gateway)).find(({ phase }) => phase === 'Active');
  const request = { set: parameterSet('insecure-bfv-1024-b17'), label: labelOf(label) };
  const { keyId } = await requestKey(gateway, { epochId: epoch!.epochId!, ...request });
  await waitForKey(gateway, keyId, { timeoutMs: 60_000 });
  const view = await waitUntil('the stranger has recorded the key', async () => {
    const found = await fetchRequestView(endpoint, keyId).catch(() => undefined);
    return found?.state === 'recorded' ? found : undefined;
  });
  expect(view).toMatchObject({ kind: 'key', faulty: [] });
}

describe.each(GUIDE)('docs/operator/%s.md', (page) => {
  const blocks = blocksOf(page).filter(({ person }) => person !== undefined);

  it.runIf(blocks.length > 0).each(blocks)('$at', runBlock);

  it.runIf(page === 'day-one')('ends with a seat, and with answers', async () => {
    const { signer, epochs } = await fetchHealth(endpoint);
    expect(signer).toBe(registration().signer);
    expect(epochs).toMatchObject([{ index: 4, phase: 'active', shares: true }]);
    await isServedByStranger('day one');
  });

  it.runIf(page === 'recovery')('leaves a restored operator that answers until it has left', () =>
    isServedByStranger('recovered'),
  );
});

describe('the keystore of the owner', () => {
  it('holds its secrets encrypted, and opens with its password only', async () => {
    const file = readFileSync(join(folder, 'config/hardhat-nodejs/keystore.json'), 'utf8');
    expect(file).toContain('KEYLOOM_ACCOUNT_KEY');
    expect(file).not.toContain(secretOf(STRANGER).slice(2));
    const wrong = new Shell(folder, 'wrong', ownerEnv, [[/password: $/u, () => 'wrong battery']]);
    const list = 'npx hardhat kms operator list --network l2 --gateway ';
    const { exitCode, stdout } = await wrong.run(`${list}${devnet.deployment.gateway}`);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('HHE50000');
  });
});
