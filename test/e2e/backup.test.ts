import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { Hex } from 'viem';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { operatorOwner } from '../../devnet/accounts.ts';
import { PASSPHRASE, type OperatorProcess } from '../../devnet/operator-process.ts';
import { freePort } from '../../devnet/ports.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { requestOf } from '../../tasks/support/decryptions.ts';
import { fetchRequestView } from '../../tasks/support/operators.ts';
import { send } from '../../tasks/support/transactions.ts';
import { operatorRegistryAbi } from '../../workers/chain/abi.ts';
import { OperatorErrorCode } from '../../workers/operator/errors.ts';
import { Cluster } from './cluster.ts';
import { operatorProgram } from './operator-program.ts';

// The machine of operator 4 is lost, with all that it has signed since its last backup. What is restored
// on another one serves again, and never signs anything else than before.

const LOST = 4;
const values = { scalar: 27_182n };

let cluster: Cluster;
let restored: OperatorProcess;
let ageIdentity: string;
let backup: string;
let registered: Awaited<ReturnType<Cluster['roundTrip']['register']>>;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

async function succeed(args: readonly string[], env = {}): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await operatorProgram(args, env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The file of an operator's share of an opening in somebody's transcripts, by opening. */
function sharesIn(folder: string, index: number): Map<string, Buffer> {
  const transcripts = join(folder, 'data/transcripts');
  const files = readdirSync(transcripts, { recursive: true, encoding: 'utf8' });
  const shares = files.filter((file) => new RegExp(`^\\d+/[0-9a-f]{64}/${index}$`).test(file));
  return new Map(shares.map((file) => [file.split('/')[1], readFileSync(join(transcripts, file))]));
}

describe('a backup of a running operator', () => {
  it('is made beside it and verified with its passphrase', async () => {
    const { folder } = cluster.devnet.workspace;
    const identity = await generateIdentity();
    ageIdentity = join(folder, 'age.txt');
    writeFileSync(ageIdentity, `${identity}\n`, { mode: 0o600 });
    backup = join(folder, 'backup.age');
    const operator = cluster.operator(LOST);
    const to = await identityToRecipient(identity);
    const config = operator.configFile;
    const made = await succeed([
      'backup',
      'create',
      '--config',
      config,
      '--to',
      to,
      '--out',
      backup,
    ]);
    expect(made).toMatchObject({ epochs: [cluster.epoch.epochId] });
    const verify = ['backup', 'verify', '--identity', ageIdentity, '--in', backup];
    expect(await succeed(verify, PASSPHRASE)).toMatchObject({ passphrase: 'opens it' });
    expect(await succeed(verify)).toMatchObject({ passphrase: 'not checked' });
    expect((await operator.waitHealthy()).epochs).toHaveLength(1);
  });
});

describe('an operator whose machine is lost', () => {
  const [others, next] = [{ scalar: 5n }, { scalar: 99n }];
  let pending: Hex;
  let unasked: typeof registered;

  it('has signed since its backup, and is asked for more', async () => {
    registered = await cluster.roundTrip.register(values);
    // Registering takes 2t+1 operators, which are not always there below.
    const asked = await cluster.roundTrip.register(others);
    unasked = await cluster.roundTrip.register(next);
    await cluster.openedBy([1, 2, 3, 4], () => cluster.roundTrip.decrypt(registered, values));
    await cluster.operator(LOST).kill();
    rmSync(cluster.operator(LOST).folder, { recursive: true });
    await cluster.operator(3).stop();
    pending = await cluster.roundTrip.request(asked, others);
  });

  it('is restored in another folder, at other ports', async () => {
    const folder = join(cluster.devnet.workspace.folder, 'another-machine');
    const ports = { http: await freePort(), p2p: await freePort() };
    const restore = ['backup', 'restore', '--identity', ageIdentity, '--in', backup];
    expect(await succeed([...restore, '--into', folder], PASSPHRASE)).toMatchObject({
      ...{ identity: join(folder, 'identity.json'), dataDir: join(folder, 'data') },
    });
    const again = await operatorProgram([...restore, '--into', folder], PASSPHRASE);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('BACKUP_TARGET_EXISTS');

    restored = cluster.operator(LOST).movedTo(folder, ports);
    restored.start();
    await restored.waitHealthy();
    const owner = await cluster.devnet.as(operatorOwner(LOST));
    await send(owner, {
      address: owner.addresses.operatorRegistry,
      abi: operatorRegistryAbi,
      functionName: 'updateEndpoints',
      args: [restored.multiaddr, restored.endpoint],
    });
  });

  it('leaves to the others what it may have signed for', async () => {
    const view = await waitUntil('the restored operator says why it does not serve', async () => {
      const seen = await fetchRequestView(restored.endpoint, pending);
      return seen?.error === undefined ? undefined : seen;
    });
    expect(view).toMatchObject({ error: OperatorErrorCode.REQUESTED_BEFORE_RESTORE });
    expect((await requestOf(cluster.governor, pending)).state).toBe('Pending');
    cluster.operator(3).start();
    await waitUntil('the others answer without it', async () =>
      (await requestOf(cluster.governor, pending)).state === 'Answered' ? true : undefined,
    );
    expect(sharesIn(cluster.operator(1).folder, LOST).size).toBeGreaterThan(0);
    expect(sharesIn(restored.folder, LOST).size).toBe(0);
  });

  it('serves the next request, which cannot be answered without it', async () => {
    await cluster.operator(1).stop();
    const outcome = await cluster.roundTrip.decrypt(unasked, next);
    expect(outcome.decrypted).toEqual([next.scalar]);
    expect(outcome.signers).toEqual([2, 3, LOST]);
  });

  it('signs what it has signed before, bit for bit, although it has no record of it', async () => {
    // The same ciphertext in another request: the same opening, for which it signed a share.
    const outcome = await cluster.roundTrip.decrypt(registered, values);
    expect(outcome).toMatchObject({ decrypted: [values.scalar], signers: [2, 3, LOST] });
    const before = sharesIn(cluster.operator(1).folder, LOST);
    const after = sharesIn(restored.folder, LOST);
    const both = [...after.keys()].filter((opening) => before.has(opening));
    expect(both.length).toBeGreaterThan(0);
    for (const opening of both) expect(after.get(opening)).toEqual(before.get(opening));
    for (const index of [2, 3]) {
      const listed = await fetch(`${cluster.operator(index).endpoint}/evidence`);
      expect(await listed.json()).toEqual({ evidence: [] });
    }
  });
});
