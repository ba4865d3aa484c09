import { keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CeremonyErrorCode } from '../../../../workers/ceremony/errors.ts';
import { parsePowersFile } from '../../../../workers/ceremony/file.ts';
import { plainPoints } from '../../../../workers/ceremony/points.ts';
import { noRecords } from '../../../../workers/ceremony/records.ts';
import { initialState, stateOf } from '../../../../workers/ceremony/state.ts';
import { pointBytes } from '../../../../workers/curve/points.ts';
import {
  CeremonyComputer,
  type MadeContribution,
} from '../../../../workers/operator/ceremony/computer.ts';
import {
  decodeOffer,
  encodeOffer,
  offerBytes,
  offerId,
} from '../../../../workers/operator/ceremony/offers.ts';

const power = 8;
const previous = initialState(power);
const place = {
  chainId: 31_337n,
  crsManager: '0x00000000000000000000000000000000000000c5',
  ceremonyId: keccak256(toHex('ceremony')),
  index: 2,
} as const;

const computer = new CeremonyComputer();
const signal = new AbortController().signal;
let made: MadeContribution;

beforeAll(async () => {
  const progress: number[] = [];
  const task = { place, base: { state: previous, bytes: undefined } };
  const onProgress = (done: number): number => progress.push(done);
  made = await computer.contribute(task, { signal, onProgress });
  expect(progress.at(-1)).toBe(5 * 2 ** power);
});

afterAll(() => computer.close());

describe('a thread for contributions', () => {
  it('finds nothing wrong with its own', async () => {
    const { bytes, state, proof } = made;
    const whole = { bytes, state, proven: { proof, place }, previous, records: noRecords };
    expect(await computer.check(whole, { signal })).toBeUndefined();
  });

  it('checks a recorded one without its proof and the file before it', async () => {
    const { bytes, state } = made;
    expect(await computer.check({ bytes, state, previous }, { signal })).toBeUndefined();
  });

  it('says what is wrong, and what a contract can see of it', async () => {
    const file = parsePowersFile(Uint8Array.from(made.bytes));
    const at = 100 * pointBytes.g1;
    file.alphaTauG1.copyWithin(at, 0, pointBytes.g1);
    const state = stateOf(file, plainPoints(file));
    const refused = await computer.check({ bytes: file.bytes, state, previous }, { signal });
    expect(refused).toMatchObject({
      code: CeremonyErrorCode.POWERS_WRONG,
      flaw: { kind: 'wrong-neighbours', section: 4 },
    });
    expect([99, 100]).toContain(refused?.flaw?.place);
  });

  it('says what is wrong where a contract sees nothing', async () => {
    const { state, bytes } = made;
    const cut = bytes.subarray(0, 1_000);
    const refused = await computer.check({ bytes: cut, state, previous }, { signal });
    expect(refused?.code).toBeDefined();
    expect(refused?.flaw).toBeUndefined();
  });

  it('ends when it is not wanted any more', async () => {
    const stop = new AbortController();
    const reason = new RangeError('over');
    const task = { place, base: { state: initialState(12), bytes: undefined } };
    const work = computer.contribute(task, { signal: stop.signal });
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
  });

  it('serves the next one after a check that was aborted', async () => {
    const stop = new AbortController();
    const reason = new RangeError('over');
    const { bytes, state } = made;
    const work = computer.check({ bytes, state, previous }, { signal: stop.signal });
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(await computer.check({ bytes, state, previous }, { signal })).toBeUndefined();
  });

  it('checks several at once', async () => {
    const { bytes, state } = made;
    const task = { bytes, state, previous };
    const checks = [1, 2].map(() => computer.check(task, { signal }));
    expect(await Promise.all(checks)).toEqual([undefined, undefined]);
  });
});

describe('an offer', () => {
  it('has one form', () => {
    const { state, proof } = made;
    const bytes = encodeOffer({ state, proof });
    expect(bytes).toHaveLength(offerBytes);
    expect(decodeOffer(bytes)).toEqual({ state, proof });
    expect(decodeOffer(bytes.subarray(1))).toBeUndefined();
    expect(decodeOffer(Uint8Array.from([...bytes, 0]))).toBeUndefined();
    // The power is a uint8 in a word of 32 bytes.
    const other = Uint8Array.from(bytes);
    other[0] = 1;
    expect(decodeOffer(other)).toBeUndefined();
  });

  it('has another name for each contributor and state before it', () => {
    const { ceremonyId } = place;
    const named = { epochId: ceremonyId, ceremonyId, previous, index: 1 };
    const names = [named, { ...named, index: 2 }, { ...named, previous: made.state }].map(offerId);
    expect(new Set(names).size).toBe(3);
  });
});
