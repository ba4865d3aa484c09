import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Accumulator, Contribution } from '../../../workers/ceremony/contribute.ts';
import { contribute } from '../../../workers/ceremony/contribute.ts';
import { CeremonyErrorCode as code } from '../../../workers/ceremony/errors.ts';
import {
  allocatePowersFile,
  parsePowersFile,
  type PowersFile,
} from '../../../workers/ceremony/file.ts';
import { findFlaw } from '../../../workers/ceremony/flaw.ts';
import { pointSections } from '../../../workers/ceremony/layout.ts';
import { plainPoints } from '../../../workers/ceremony/points.ts';
import { prove } from '../../../workers/ceremony/proof.ts';
import { parseRecords, type ContributionRecord } from '../../../workers/ceremony/records.ts';
import { ContributionSecrets, perSecret } from '../../../workers/ceremony/secrets.ts';
import { encodeState, stateOf } from '../../../workers/ceremony/state.ts';
import { nextChallenge, respond } from '../../../workers/ceremony/transcript.ts';
import { verifyContribution, type Announcement } from '../../../workers/ceremony/verify.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import { fromEvm } from '../../../workers/curve/points.ts';
import { one } from '../../../workers/curve/scalars.ts';
import * as setting from './ceremony.ts';
import { place, size } from './ceremony.ts';
import * as reference from './reference.ts';

let curve: Curve;
/** Two contributions; `factors` are those of the second, which honest members would have wiped. */
let first: Contribution;
let second: Contribution;
let beaconed: Contribution;

const bytesOf = (value: bigint): Uint8Array => reference.word(value).reverse();
const factors = reference.secretsOf('known');
const square = (of: reference.Secrets): reference.Secrets => reference.product(of, of);

/** Secrets with known factors, new each time: they are wiped. */
const known = (of = factors): ContributionSecrets =>
  new ContributionSecrets(
    perSecret((name) => bytesOf(of[name])),
    ContributionSecrets.draw().nonces,
    perSecret((name) => {
      const point = reference.G1.BASE.multiply(reference.scalar(`key ${name}`));
      return fromEvm('g1', reference.g1Leaf(point));
    }),
  );

beforeAll(async () => {
  curve = await Curve.start();
  [first] = await setting.ceremony(curve, 3);
  second = await contribute(curve, first, place(1), known());
  const secrets = await ContributionSecrets.fromBeacon(setting.beacon);
  beaconed = await contribute(curve, first, place(0), secrets);
});
afterAll(() => curve.close());

/** A changed copy of the second file, with the state that it stands for and a new proof. */
async function changed(
  change: (file: PowersFile, record: ContributionRecord) => void | Promise<void>,
  of: Contribution = second,
): Promise<Announcement> {
  const file = parsePowersFile(of.file.bytes.slice());
  await change(file, parseRecords(file.records).at(-1));
  return announce(file, first);
}

/** What somebody who knows the factors would announce of a file. */
async function announce(
  file: PowersFile,
  previous: Accumulator,
  index = 1,
  of = factors,
): Promise<Announcement> {
  const state = stateOf(file, plainPoints(file));
  const proof = await prove(curve, place(index), previous.state, state, known(of));
  return { bytes: file.bytes, state, proof, place: place(index) };
}

const verify = (announced: Announcement, previous: Accumulator = first): Promise<unknown> =>
  verifyContribution(curve, announced, setting.verified(previous));
const refused = async (
  announced: Announcement,
  expected: string,
  metadata: object = {},
  previous: Accumulator = first,
): Promise<void> =>
  expect(verify(announced, previous)).rejects.toMatchObject({ code: expected, metadata });
/** The flaw can be shown to somebody who has only the state. */
async function proven({ bytes, state }: Announcement, expected: object): Promise<void> {
  const flaw = await findFlaw(curve, bytes, state);
  expect(flaw).toMatchObject(expected);
  expect(reference.isFlaw(Buffer.from(encodeState(state).slice(2), 'hex'), flaw!)).toBe(true);
}
const honest = (): Announcement => setting.announced(second, 1);
/** Gives a record the hashes of its file. */
async function rehash(file: PowersFile, record: ContributionRecord): Promise<void> {
  const challenge = parseRecords(first.file.records).at(-1).nextChallenge;
  const response = await respond(challenge, file, record.key);
  record.partialHash.set(response.partialHash);
  record.nextChallenge.set(nextChallenge(response.digest, plainPoints(file)));
}

const points = {
  /** Points of the right group that are none of the file's. */
  g1: fromEvm('g1', reference.g1Leaf(reference.G1.BASE.multiply(reference.scalar('other')))),
  g2: fromEvm('g2', reference.g2Leaf(reference.G2.BASE.multiply(reference.scalar('other')))),
  offG1: fromEvm('g1', Buffer.concat([reference.word(5n), reference.word(5n)])),
  offG2: fromEvm('g2', Buffer.concat([5n, 5n, 5n, 5n].map(reference.word))),
  outside: fromEvm('g2', reference.outsideSubgroup()),
};

describe('an operator', () => {
  it('takes an honest contribution, whoever made the tool', async () => {
    await verify(honest());
    await verify(await changed(() => undefined));
    // Of the hash's state 32 bytes are never read.
    await verify(await changed((_, { partialHash }) => void partialHash.fill(1, 96, 128)));
  });

  it.each([
    ['tauG1', 2, size],
    ['tauG1', 2, 2 * size - 2],
    ['tauG2', 3, size / 2],
    ['alphaTauG1', 4, size / 2],
    ['betaTauG1', 5, size / 2],
    ['betaTauG1', 5, size - 1],
  ] as const)('refuses a wrong power in %s, and proves it', async (name, section, at) => {
    const point = name === 'tauG2' ? points.g2 : points.g1;
    const announced = await changed((file) => file[name].set(point, at * point.length));
    await refused(announced, code.POWERS_WRONG, { section });
    await proven(announced, { kind: 'wrong-neighbours', section, place: at - 1 });
  });

  it.each([
    ['tauG1', 2, 'offG1'],
    ['alphaTauG1', 4, 'offG1'],
    ['tauG2', 3, 'offG2'],
    ['tauG2', 3, 'outside'],
  ] as const)('refuses a point in %s that is none, and proves it', async (name, section, what) => {
    const position = size / 4;
    const announced = await changed((file) => {
      file[name].set(points[what], position * points[what].length);
    });
    await refused(announced, code.POINT_INVALID, { section, position });
    await proven(announced, { kind: 'malformed-leaf', section, place: position });
  });

  it.each([
    ['tauG1', 2],
    ['tauG2', 3],
  ] as const)('refuses another start of %s, and proves it', async (name, section) => {
    const announced = await changed((file) =>
      file[name].set(name === 'tauG1' ? points.g1 : points.g2),
    );
    await refused(announced, code.START_WRONG, { section });
    await proven(announced, { kind: 'wrong-start', section, place: 0 });
  });

  it('refuses a tau of zero', async () => {
    const announced = await changed((file) => {
      file.tauG1.fill(0, 64);
      file.tauG2.fill(0, 128);
      file.alphaTauG1.fill(0, 64);
      file.betaTauG1.fill(0, 64);
    });
    await refused(announced, code.POINT_INVALID, { section: 2, position: 1 });
    await proven(announced, { kind: 'wrong-points' });
  });

  it('refuses a contribution that changes nothing', async () => {
    await refused(await announce(first.file, first), code.CONTRIBUTION_TRIVIAL, { secret: 'tau' });
  });

  it.each(['tau', 'alpha', 'beta'] as const)('refuses a %s of one', async (secret) => {
    const scale = (name: 'tau' | 'alpha' | 'beta'): Uint8Array =>
      name === secret ? one() : bytesOf(factors[name]);
    const file = parsePowersFile(second.file.bytes.slice());
    const { tauG1, tauG2, alphaTauG1, betaTauG1, betaG2 } = first.file;
    file.tauG1.set(await curve.scaleByPowers('g1', tauG1, one(), scale('tau')));
    file.tauG2.set(await curve.scaleByPowers('g2', tauG2, one(), scale('tau')));
    file.alphaTauG1.set(await curve.scaleByPowers('g1', alphaTauG1, scale('alpha'), scale('tau')));
    file.betaTauG1.set(await curve.scaleByPowers('g1', betaTauG1, scale('beta'), scale('tau')));
    file.betaG2.set(await curve.multiply('g2', betaG2, scale('beta')));
    await refused(await announce(file, first), code.CONTRIBUTION_TRIVIAL, { secret });
  });

  it('refuses powers of one, after the inverse of all factors', async () => {
    const generators = setting.start().file;
    const file = parsePowersFile(second.file.bytes.slice());
    file.tauG1.set(generators.tauG1);
    file.tauG2.set(generators.tauG2);
    await refused(await announce(file, first), code.CONTRIBUTION_TRIVIAL, { secret: 'tau' });
  });

  it('refuses another beta in G2, and proves it', async () => {
    const announced = await changed((file) => file.betaG2.set(points.g2));
    await refused(announced, code.STATE_INCONSISTENT);
    await proven(announced, { kind: 'wrong-points' });
  });

  it('refuses another’s contribution under its own index', async () => {
    await refused({ ...honest(), place: place(2) }, code.PROOF_INVALID);
  });

  it('refuses one that was built on another state', async () => {
    const [other] = await setting.ceremony(curve, 3);
    await refused(honest(), code.PROOF_INVALID, {}, other);
    await refused(honest(), code.PROOF_INVALID, {}, setting.start());
  });

  it('refuses factors that the contributor does not know', async () => {
    const { state, proof, ...rest } = honest();
    await refused({ ...rest, state, proof: { ...proof, beta: proof.tau } }, code.PROOF_INVALID);
  });

  it('refuses a state that is not the file’s', async () => {
    for (const name of ['digest', 'g1Root', 'g2Root', 'tauG1', 'betaG2'] as const) {
      const state = { ...second.state, [name]: first.state[name] };
      await refused({ ...honest(), state }, code.STATE_MISMATCH);
    }
    await refused({ ...honest(), bytes: first.file.bytes }, code.STATE_MISMATCH);
  });

  it('refuses a file of another size or form', async () => {
    const { state, file } = first;
    const larger = { file, state: { ...state, power: 9 } };
    await refused(honest(), code.POWER_CHANGED, {}, larger);
    const longer = Buffer.concat([second.file.bytes, Buffer.alloc(1)]);
    await refused({ ...honest(), bytes: longer }, code.FILE_MALFORMED);
  });
});

describe('an operator refuses records', () => {
  it('that are not those of the file before', async () => {
    const renamed = await changed((file) => {
      // The last letter of the first record's name.
      file.records[first.file.records.length - 1] ^= 1;
    });
    await refused(renamed, code.RECORDS_CHANGED);
    // The points are those of a right contribution, but there is no record of it.
    const { power, records } = first.file;
    const silent = allocatePowersFile(power, records.length);
    for (const { name } of pointSections) silent[name].set(second.file[name]);
    silent.records.set(records);
    await refused(await announce(silent, first), code.RECORDS_CHANGED);
    // Two records for one contribution by the product of their factors.
    const half = await contribute(curve, setting.start(), place(1), known());
    const { file } = await contribute(curve, half, place(1), known());
    const twice = await announce(file, setting.start(), 1, square(factors));
    await refused(twice, code.RECORDS_CHANGED, {}, setting.start());
  });

  it('of other points', async () => {
    const announced = await changed((_, { alphaG1 }) => alphaG1.set(points.g1));
    await refused(announced, code.RECORD_POINTS_WRONG);
  });

  it('with other hashes', async () => {
    for (const part of ['partialHash', 'nextChallenge'] as const) {
      for (const at of [0, 63]) {
        const announced = await changed((_, record) => void (record[part][at] ^= 1));
        await refused(announced, code.RECORD_HASH_WRONG);
      }
    }
    await refused(
      await changed((_, { partialHash }) => void (partialHash[200] ^= 1)),
      code.RECORD_HASH_WRONG,
    );
  });

  it('with a key that is none', async () => {
    for (const [part, point] of [
      ['alphaS', points.offG1],
      ['betaSx', new Uint8Array(64)],
      ['tauSpx', points.outside],
    ] as const) {
      const announced = await changed((_, record) => record[part].set(point));
      await refused(announced, code.POINT_INVALID, { section: 7 });
    }
  });

  it('with a key that is not that of the change', async () => {
    const other = await contribute(curve, first, place(1), ContributionSecrets.draw());
    const theirs = parseRecords(other.file.records).at(-1);
    const parts = ['S', 'Sx', 'Spx'] as const;
    for (const name of ['tau', 'alpha', 'beta'] as const) {
      // A point alone, or a whole key, of which only what it changed is wrong.
      for (const taken of [['S'], ['Sx'], ['Spx'], parts] as const) {
        const announced = await changed(async (file, record) => {
          for (const part of taken) record[`${name}${part}`].set(theirs[`${name}${part}`]);
          await rehash(file, record);
        });
        await refused(announced, code.RECORD_KEY_INVALID);
      }
    }
  });
});

describe('an operator that waits for a beacon', () => {
  it('takes its contribution', async () => {
    await verify(setting.announced(beaconed, 0));
  });

  it('refuses that of another one, and that of anybody', async () => {
    const announced = setting.announced(beaconed, 0);
    for (const beacon of [
      { ...setting.beacon, iterationsExp: 11 },
      { ...setting.beacon, hash: Buffer.alloc(32, 8) },
    ]) {
      await refused({ ...announced, beacon }, code.BEACON_MISMATCH);
    }
    await refused({ ...honest(), beacon: setting.beacon }, code.BEACON_MISMATCH);
  });

  it('refuses a beacon when none is due', async () => {
    const { bytes, state, proof } = setting.announced(beaconed, 0);
    await refused({ bytes, state, proof, place: place(0) }, code.BEACON_MISMATCH);
  });

  it('refuses own factors under the beacon’s name', async () => {
    const { factors: own, nonces, keyPoints } = known();
    const drawn = await ContributionSecrets.fromBeacon(setting.beacon);
    for (const secrets of [
      new ContributionSecrets(own, nonces, drawn.keyPoints, setting.beacon),
      new ContributionSecrets(drawn.factors, drawn.nonces, keyPoints, setting.beacon),
    ]) {
      const forged = await contribute(curve, first, place(0), secrets);
      await refused(setting.announced(forged, 0), code.BEACON_MISMATCH);
    }
  });
});
