import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hex } from 'viem';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { governor } from '../../devnet/accounts.ts';
import { blobDigest } from '../../sdk/index.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';
import { reduceScalar } from '../../workers/curve/scalars.ts';
import { closeSnarkjs, verifyWithSnarkjs } from '../workers/ceremony/ceremony.ts';
import { contributorsOf, expectNothingChanged, hold, malices, POWER } from './ceremonies.ts';
import { Cluster, testSet } from './cluster.ts';
import { CommandLine } from './command-line.ts';
import { filesUnder, filesWith, formsOf } from './leaks.ts';

// Four real operators make 2^12 powers; then one of them is malicious.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

describe('a ceremony of honest operators', () => {
  it('has all their contributions and that of the beacon, and leaves no secret behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyloom-record-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const record = join(folder, 'random');
    const recorder = fileURLToPath(new URL('recording-random.ts', import.meta.url));
    await cluster.restart(1, {
      env: { NODE_OPTIONS: `--import ${recorder}`, KEYLOOM_TEST_RECORD: record },
    });
    const ceremony = await hold(cluster, 'honest', { beaconIterationsExp: 10 });
    expect(await contributorsOf(cluster, ceremony)).toEqual([0, 1, 2, 3, 4]);
    expect(ceremony.contributions.at(-1)?.index).toBe(0);

    // Its factors, and the nonces of its proof, with which the proof gives the factors away.
    const drawn = readFileSync(record, 'latin1').trim().split('\n');
    expect(drawn.length).toBeGreaterThanOrEqual(6);
    const secrets = drawn.map((line) => Buffer.from(line, 'hex'));
    expect(secretsIn([record], secrets)).not.toEqual([]);
    const { folder: own, logFile } = cluster.operator(1);
    expect(secretsIn([...filesUnder(own), logFile], secrets)).toEqual([]);
    await cluster.restart(1);

    // As a user gets it, and as the rest of the world checks it.
    const deployment = join(folder, 'deployment.json');
    const { chain, deployment: deployed } = cluster.devnet;
    const known = { rpcUrl: chain.rpcUrl, gateway: deployed.gateway };
    writeFileSync(deployment, JSON.stringify(known));
    const tasks = new CommandLine(deployment);
    const { ceremonyId } = ceremony;
    const out = join(folder, 'powers.ptau');
    expect(await tasks.json('crs', 'status', ceremonyId)).toMatchObject({ phase: 'Recorded' });
    expect(await tasks.json('crs', 'export', ceremonyId, '--out', out)).toMatchObject({
      ...{ power: POWER, contributions: 5 },
    });
    expect(await tasks.json('audit', ceremonyId)).toMatchObject({ follows: true });
    const exported = readFileSync(out);
    onTestFinished(closeSnarkjs);
    expect(await verifyWithSnarkjs(exported)).toBe(true);
    await encryptWith(tasks, folder, out);
    exported[exported.length >> 1] ^= 1;
    writeFileSync(out, exported);
    expect(await tasks.failure('crs', 'verify', ceremonyId, '--file', out)).toMatchObject({
      code: ClientErrorCode.RESULT_MISMATCH,
    });
  });
});

/** The files that hold one of these secrets, drawn or reduced, in any form that anybody would write. */
function secretsIn(files: readonly string[], drawn: readonly Buffer[]): string[] {
  const scalars = drawn.flatMap((bytes) => {
    const scalar = Buffer.from(reduceScalar(bytes));
    const reversed = Buffer.from(scalar).reverse();
    const decimal = Buffer.from(BigInt(`0x${reversed.toString('hex')}`).toString());
    return [...formsOf(bytes), ...formsOf(scalar), ...formsOf(reversed), decimal];
  });
  return filesWith(files, scalars);
}

/** The result serves: encryptions proved with it, at once and offline, are registered and decrypted. */
async function encryptWith(tasks: CommandLine, folder: string, crs: string): Promise<void> {
  const { keyId, devnet } = cluster;
  const { handle } = await tasks.json<{ handle: Hex }>(
    ...['encrypt', '--key', keyId, '--scalar', '42', '--proof', 'kzg', '--crs', crs],
  );
  expect(await tasks.json('status', handle)).toMatchObject({ origin: 'kzg' });

  const [publicKeyFile, ciphertext, proof] = ['key', 'ciphertext', 'proof'].map((name) =>
    join(folder, name),
  );
  writeFileSync(publicKeyFile, cluster.roundTrip.publicKey);
  const statement = [
    ...['--public-key-file', publicKeyFile, '--set', testSet.name],
    ...['--chain-id', String(cluster.governor.chainId), '--owner', governor.address],
    ...['--registry', cluster.governor.addresses.ciphertextRegistry, '--crs', crs],
    ...['--crs-digest', blobDigest(readFileSync(crs))],
  ];
  await tasks.json(
    'prove',
    ...statement,
    '--scalar',
    '7',
    '--out',
    ciphertext,
    '--proof-out',
    proof,
  );
  const checked = ['verify', ...statement, '--in', ciphertext, '--proof', proof];
  expect(await tasks.json(...checked)).toMatchObject({ valid: true, origin: 'kzg' });
  const offline = await tasks.json<{ handle: Hex }>(
    ...['register', '--key', keyId, '--in', ciphertext, '--proof', proof],
  );

  const gateway = await devnet.as(governor);
  const handles = [handle, offline.handle];
  const requestId = await requestPublicDecryption(gateway, { handles, positions: [0] });
  const { plaintexts } = await waitForDecryption(gateway, requestId, { timeoutMs: 60_000 });
  expect(plaintexts.map(({ coefficients }) => coefficients[0])).toEqual([42n, 7n]);
  const changed = readFileSync(proof);
  changed[200] ^= 1;
  writeFileSync(proof, changed);
  expect(await tasks.failure(...checked)).toHaveProperty('code');
}

describe('a malicious contributor', () => {
  // One that a contract can see and one that it cannot; the others are in malices.slow.test.ts.
  const some = malices.filter(({ conduct }) => ['wrong-power', 'withheld'].includes(conduct));

  it.each(some)('$conduct changes nothing', (malice) => expectNothingChanged(cluster, malice));
});
