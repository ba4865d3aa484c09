import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keccak256, stringToHex, type Hex } from 'viem';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { governor, user } from '../../devnet/accounts.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { blobDigest } from '../../sdk/index.ts';
import { checkPowers } from '../../tasks/support/crs-check.ts';
import {
  ceremonyOf,
  downloadPowers,
  finalContribution,
  requestCrs,
  type Ceremony,
} from '../../tasks/support/crs.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';
import { operatorAt } from '../../tasks/support/registration.ts';
import { chainTime } from '../../tasks/support/results.ts';
import { listConvictions } from '../../tasks/support/slashing.ts';
import { reduceScalar } from '../../workers/curve/scalars.ts';
import { closeSnarkjs, verifyWithSnarkjs } from '../workers/ceremony/ceremony.ts';
import { Cluster, testSet } from './cluster.ts';
import { CommandLine } from './command-line.ts';
import { filesUnder, filesWith, formsOf } from './leaks.ts';

// Four real operators make 2^12 powers. One of them is malicious in each of the ways there are: the result
// is right every time; where a contract can see what was wrong, the contributor is slashed.

const POWER = 12;
/** Long enough for two cores; slots that come to nothing are skipped by the clock. */
const SLOT_SECONDS = 120;
const LIAR = 2;
/** Several times what it takes when nothing else runs. */
const DEADLINE_MS = 250_000;
/** A look reads all logs, and the cores are for the operators. */
const LOOK_EVERY_MS = 500;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/**
 * Has a ceremony held. The clock is moved over the slot of whoever wastes it, once the others have seen
 * that it does, and over the challenge window.
 */
async function hold(
  name: string,
  options: {
    beaconIterationsExp?: number;
    isWasted?: (ceremony: Ceremony) => Promise<boolean>;
    /** Whether the challenge window may be skipped. */
    isSettled?: (ceremony: Ceremony) => boolean;
  },
): Promise<Ceremony> {
  const { isSettled = () => true } = options;
  const gateway = await cluster.devnet.as(user);
  const { control } = cluster.devnet.chain;
  const { ceremonyId } = await requestCrs(gateway, {
    ...{ epochId: cluster.epoch.epochId, power: POWER, slotSeconds: SLOT_SECONDS },
    beaconIterationsExp: options.beaconIterationsExp ?? 0,
    salt: keccak256(stringToHex(name)),
  });
  const skipTo = async (time: number): Promise<void> => {
    const seconds = time - (await chainTime(gateway));
    if (seconds > 0) await control.increaseTime({ seconds });
    await control.mine({ blocks: 1 });
  };
  return waitUntil(
    `ceremony ${name} is recorded`,
    async () => {
      const ceremony = await ceremonyOf(gateway, ceremonyId);
      const { phase, slot, closesAt } = ceremony;
      if (phase === 'Recorded') return ceremony;
      if (phase === 'Closing' && isSettled(ceremony)) await skipTo(closesAt!);
      if (slot?.index === LIAR && (await options.isWasted?.(ceremony))) await skipTo(slot.until);
      return undefined;
    },
    { deadlineMs: DEADLINE_MS, everyMs: LOOK_EVERY_MS },
  );
}

/** The indices that contributed, after all that anybody can check was checked. */
async function contributorsOf(ceremony: Ceremony): Promise<number[]> {
  const gateway = await cluster.devnet.as(user);
  const file = await downloadPowers(gateway, ceremony, finalContribution(ceremony));
  await checkPowers(ceremony, file);
  return ceremony.contributions.map(({ index }) => index).sort((a, b) => a - b);
}

describe('a ceremony of honest operators', () => {
  it('has all their contributions and that of the beacon, and leaves no secret behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyloom-record-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const record = join(folder, 'random');
    const recorder = fileURLToPath(new URL('recording-random.ts', import.meta.url));
    await cluster.restart(1, {
      env: { NODE_OPTIONS: `--import ${recorder}`, KEYLOOM_TEST_RECORD: record },
    });
    const ceremony = await hold('honest', { beaconIterationsExp: 10 });
    expect(await contributorsOf(ceremony)).toEqual([0, 1, 2, 3, 4]);
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
  /** Named by two others: more than can be malicious. */
  const isNamed = async ({ ceremonyId }: Ceremony): Promise<boolean> => {
    const named = await cluster.faults(ceremonyId);
    return named.some(({ index }) => index === LIAR);
  };
  /** Two others say what keeps them from going on. */
  const isMissed = async ({ ceremonyId }: Ceremony): Promise<boolean> => {
    const views = await Promise.all([1, 3, 4].map((index) => cluster.view(index, ceremonyId)));
    return views.filter((view) => view?.error !== undefined).length >= 2;
  };

  it.each([
    { conduct: 'wrong-power', isWasted: isNamed, isProvable: true },
    { conduct: 'tau-zero', isWasted: isNamed, isProvable: true },
    { conduct: 'tau-one', isWasted: isNamed, isProvable: false },
    { conduct: 'off-curve', isWasted: isNamed, isProvable: true },
    { conduct: 'off-subgroup', isWasted: isNamed, isProvable: true },
    { conduct: 'replayed-contribution', isWasted: isNamed, isProvable: false },
    { conduct: 'wrong-state', isWasted: isNamed, isProvable: false },
    { conduct: 'withheld', isWasted: isMissed, isProvable: false },
    { conduct: 'absent', isWasted: async () => true, isProvable: false },
  ])('$conduct changes nothing', async ({ conduct, isWasted, isProvable }) => {
    const gateway = cluster.governor;
    const { operator } = cluster.members[LIAR - 1];
    const { bondWei } = await operatorAt(gateway, operator);
    const before = await listConvictions(gateway);
    await cluster.restart(LIAR, { conduct });
    // Where there is nothing to replay yet, or no other state, it lets its first slot pass.
    const isSkipped = async (ceremony: Ceremony): Promise<boolean> =>
      ceremony.contributions.length === 0 &&
      ['replayed-contribution', 'wrong-state'].includes(conduct)
        ? true
        : isWasted(ceremony);
    const ceremony = await hold(conduct, { isWasted: isSkipped });
    expect(await contributorsOf(ceremony)).toEqual([1, 3, 4]);
    if (isProvable) {
      const conviction = await waitUntil(`${conduct} is slashed`, async () => {
        const all = await listConvictions(gateway);
        return all.length > before.length ? all.at(-1) : undefined;
      });
      expect(conviction).toMatchObject({
        ...{ kind: 'wrong-contribution', operator, slashedWei: bondWei / 2n },
      });
    } else {
      expect(await listConvictions(gateway)).toHaveLength(before.length);
    }
  });
});

describe('more malicious operators than there may be', () => {
  it('have a wrong contribution recorded, and lose it and their bonds to the honest one', async () => {
    const gateway = cluster.governor;
    const guilty = [1, LIAR, 3];
    const bonds = await Promise.all(
      guilty.map((index) => operatorAt(gateway, cluster.members[index - 1].operator)),
    );
    const before = (await listConvictions(gateway)).length;
    for (const index of guilty)
      await cluster.restart(index, { conduct: index === LIAR ? 'colluding-liar' : 'colluding' });
    const isSettled = ({ excluded }: Ceremony): boolean => excluded !== 0;
    const ceremony = await hold('colluding', { isSettled });
    expect(ceremony.excluded).toBe(1 << (LIAR - 1));
    expect(await contributorsOf(ceremony)).toEqual([1, 3, 4]);

    const convictions = await waitUntil('all who signed are slashed', async () => {
      const all = (await listConvictions(gateway)).slice(before);
      return all.length === guilty.length ? all : undefined;
    });
    for (const { kind, operator, slashedWei } of convictions) {
      expect(kind).toBe('wrong-contribution');
      const bond = bonds.find((one) => one.operator === operator)?.bondWei ?? 0n;
      expect(slashedWei).toBe(bond / 2n);
    }
  });
});
