import * as snarkjs from 'snarkjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contribute, type Contribution } from '../../../workers/ceremony/contribute.ts';
import { CeremonyErrorCode } from '../../../workers/ceremony/errors.ts';
import { parsePowersFile } from '../../../workers/ceremony/file.ts';
import { plainPoints } from '../../../workers/ceremony/points.ts';
import { parseRecords } from '../../../workers/ceremony/records.ts';
import { ContributionSecrets } from '../../../workers/ceremony/secrets.ts';
import { stateOf } from '../../../workers/ceremony/state.ts';
import { verifyRecord } from '../../../workers/ceremony/verify-record.ts';
import { areConsistent, assertPowers, assertValid } from '../../../workers/ceremony/powers.ts';
import { endsOf } from '../../../workers/ceremony/ends.ts';
import { verifyContribution } from '../../../workers/ceremony/verify.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import * as setting from './ceremony.ts';
import { memory, place, power } from './ceremony.ts';

let curve: Curve;
let chain: Contribution[];

beforeAll(async () => {
  curve = await Curve.start();
  chain = await setting.ceremony(curve, 3, 1, 4, 2, 0);
});
afterAll(async () => {
  await curve.close();
  await setting.closeSnarkjs();
});

describe('snarkjs', () => {
  it('starts from the same file', async () => {
    const file = memory();
    const bn128 = await snarkjs.curves.getCurveFromName('bn128');
    await snarkjs.powersOfTau.newAccumulator(bn128, power, file);
    expect(Buffer.from(setting.start().file.bytes).equals(file.data!)).toBe(true);
  });

  it.each([1, 2, 4])('accepts the file after %i contributions', async (count) => {
    expect(await setting.verifyWithSnarkjs(chain[count - 1].file.bytes)).toBe(true);
  });

  it('accepts the file with a beacon on top', async () => {
    expect(await setting.verifyWithSnarkjs(chain[4].file.bytes)).toBe(true);
  });

  it('refuses a file with a wrong power, so that its yes says something', async () => {
    const bytes = chain[1].file.bytes.slice();
    const { alphaTauG1 } = parsePowersFile(bytes);
    alphaTauG1.set(alphaTauG1.slice(0, 64), 64 * 100);
    expect(await setting.verifyWithSnarkjs(bytes)).toBe(false);
  });

  it('makes the same of a beacon, but for what no hash reads', async () => {
    const next = memory();
    await snarkjs.powersOfTau.beacon(
      memory(chain[3].file.bytes),
      next,
      'keyloom beacon',
      Buffer.from(setting.beacon.hash).toString('hex'),
      setting.beacon.iterationsExp,
    );
    const theirs = parsePowersFile(next.data!);
    const { partialHash } = parseRecords(theirs.records).at(-1);
    partialHash.fill(0, 96, 128);
    expect(Buffer.from(theirs.bytes).equals(chain[4].file.bytes)).toBe(true);
  });

  it('contributes on top of ours, and we verify and go on', async () => {
    const next = memory();
    await snarkjs.powersOfTau.contribute(memory(chain[0].file.bytes), next, 'theirs', 'entropy');
    const file = parsePowersFile(next.data!);
    const points = plainPoints(file);
    await assertValid(curve, file);
    await assertPowers(curve, file);
    expect(await areConsistent(curve, endsOf(file))).toBe(true);
    await verifyRecord(curve, file, points, chain[0].file.records);
    expect(parseRecords(file.records).map(({ name }) => name)).toEqual(['keyloom 3', 'theirs']);

    const previous = { file, state: stateOf(file, points) };
    const ours = await contribute(curve, previous, place(2), ContributionSecrets.draw());
    await verifyContribution(curve, setting.announced(ours, 2), setting.verified(previous));
    expect(await setting.verifyWithSnarkjs(ours.file.bytes)).toBe(true);
  });
});

describe('a contribution', () => {
  it('verifies, each on top of the one before', async () => {
    for (const [at, index] of [3, 1, 4, 2, 0].entries()) {
      const previous = at === 0 ? setting.start() : chain[at - 1];
      const announced = setting.announced(chain[at], index);
      await verifyContribution(curve, announced, setting.verified(previous));
    }
  });

  it('is another one each time, and the same one of a beacon', async () => {
    const [again] = await setting.ceremony(curve, 3);
    expect(again.state.digest).not.toBe(chain[0].state.digest);
    const secrets = await ContributionSecrets.fromBeacon(setting.beacon);
    const beacon = await contribute(curve, chain[3], place(0), secrets);
    expect(beacon.state).toEqual(chain[4].state);
    expect(beacon.proof).toEqual(chain[4].proof);
  });

  it('leaves nothing of its secrets, done or failed', async () => {
    const arrays = Array.from({ length: 6 }, (_, at) => new Uint8Array(32).fill(at + 5, 0, 31));
    const [tau, alpha, beta, ...nonces] = arrays;
    const { keyPoints } = ContributionSecrets.draw();
    const secrets = new ContributionSecrets(
      { tau, alpha, beta },
      { tau: nonces[0], alpha: nonces[1], beta: nonces[2] },
      keyPoints,
    );
    await contribute(curve, setting.start(), place(1), secrets);
    expect(arrays.every((array) => array.every((byte) => byte === 0))).toBe(true);
    await expect(contribute(curve, setting.start(), place(1), secrets)).rejects.toMatchObject({
      code: CeremonyErrorCode.SECRET_WIPED,
    });

    const stopped = ContributionSecrets.draw();
    const { factors } = stopped;
    const options = { signal: AbortSignal.abort() };
    await expect(contribute(curve, setting.start(), place(1), stopped, options)).rejects.toThrow();
    expect(factors.tau.every((byte) => byte === 0)).toBe(true);
  });

  it('tells how far it is', async () => {
    const told: [number, number][] = [];
    await contribute(curve, setting.start(), place(1), ContributionSecrets.draw(), {
      onProgress: (done, total) => told.push([done, total]),
    });
    const total = 5 * setting.size;
    expect(told.every(([done, of], at) => of === total && done > (told[at - 1]?.[0] ?? 0))).toBe(
      true,
    );
    expect(told.at(-1)).toEqual([total, total]);
  });

  it('has no place in a full file', async () => {
    const { file, state } = chain[0];
    const records = Buffer.from(file.records);
    records.writeUInt32LE(14, 0);
    await expect(
      contribute(
        curve,
        { file: { ...file, records }, state },
        place(1),
        ContributionSecrets.draw(),
      ),
    ).rejects.toMatchObject({ code: CeremonyErrorCode.RECORDS_FULL });
  });
});
