import { keccak256, toHex, type Address, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { SdkErrorCode } from '../../../sdk/errors.ts';
import { fetchListing, fetchOne, mergeListings } from '../../../tasks/support/evidence/collect.ts';
import { Fields } from '../../../tasks/support/evidence/fields.ts';
import { parseEvidence, parseListing } from '../../../tasks/support/evidence/parsing.ts';
import {
  equivocation,
  offenceId,
  signedResult,
  type Evidence,
} from '../../../workers/protocols/evidence.ts';
import type { EvidenceStanding } from '../../../workers/store/evidence.ts';
import { answering, fakeOperator, serving } from './fake-operator.ts';

const hash = (name: string): Hex => keccak256(toHex(name));
const address = (byte: number): Address => `0x${byte.toString(16).padStart(2, '0').repeat(20)}`;
const SIGNATURE = `0x${'5a'.repeat(65)}` as const;
const EPOCH = hash('epoch');
const MANAGER = address(9);
const DEPLOYMENT = { chainId: 31_337n, slashingManager: MANAGER };

const roots = [hash('one'), hash('two')].map((root) => ({ root, signature: SIGNATURE }));
const twoRoots = equivocation(EPOCH, hash('opening'), 2, roots[0], roots[1])!;
const request = { epochId: EPOCH, requestId: hash('request'), source: address(8) };
const wrongResult = signedResult(request, 3, '0x1234', SIGNATURE);
const proof = (index: number) => ({
  index,
  signature: SIGNATURE,
  chunk: `0x${'01'.repeat(512)}` as const,
  path: [hash('sibling')],
});
const wrongShare: Evidence = {
  ...{ kind: 'wrong-share', epochId: EPOCH, subject: hash('opening'), index: 4 },
  opening: {
    ...{ itemPrefix: hash('item'), generations: hash('none'), parameterSetId: hash('set') },
    ...{ step: 1, digit: 0, galoisElement: 3, limbs: 2, width: 1024, polynomials: 1 },
    positionsDigest: hash('all'),
  },
  position: 77,
  accusers: [1, 2, 3].map(proof),
  accused: proof(4),
};

const standingOf = (evidence: Evidence, rest: Partial<EvidenceStanding> = {}): EvidenceStanding => {
  const { kind, epochId, subject, index } = evidence;
  const standing = { offenceId: offenceId(evidence), kind, epochId, subject, index };
  return { ...standing, state: 'open', why: undefined, ...rest };
};

const parsed = (value: unknown) => parseEvidence(new Fields(value, 'test'));
const listed = (...evidence: unknown[]) =>
  parseListing(new Fields(JSON.parse(JSON.stringify({ evidence })), 'test'));
const bad = { code: SdkErrorCode.BAD_ANSWER };
const refuses = (run: () => unknown): void =>
  expect(run).toThrow(expect.objectContaining(bad) as Error);

test.each([twoRoots, wrongResult, wrongShare])(
  'evidence is read as it was served: $kind',
  (one) => {
    expect(parsed(JSON.parse(JSON.stringify(one)))).toEqual(one);
    // What the contract is not told is not taken along.
    expect(parsed({ ...one, more: 1 })).toEqual(one);
  },
);

test.each([
  ['no object', []],
  ['null', null],
  ['another kind', { ...twoRoots, kind: 'late' }],
  ['a kind of the prototype', { ...twoRoots, kind: 'toString' }],
  ['a short id', { ...twoRoots, subject: '0x12' }],
  ['an id without 0x', { ...twoRoots, subject: hash('x').slice(2) + '00' }],
  ['no hex', { ...twoRoots, subject: `0x${'zz'.repeat(32)}` }],
  ['index 0', { ...twoRoots, index: 0 }],
  ['an index that no committee has', { ...twoRoots, index: 14 }],
  ['an index in text', { ...twoRoots, index: '2' }],
  ['a long signature', { ...wrongResult, signature: `${SIGNATURE}00` }],
  ['no address', { ...wrongResult, source: '0x12' }],
  ['one root', { ...twoRoots, second: undefined }],
  ['more accusers than a quorum can be', { ...wrongShare, accusers: Array(10).fill(proof(1)) }],
  ['a long path', { ...wrongShare, accused: { ...proof(4), path: Array(33).fill(hash('x')) } }],
  ['a path of other things', { ...wrongShare, accused: { ...proof(4), path: [1] } }],
  ['a short chunk', { ...wrongShare, accused: { ...proof(4), chunk: '0x01' } }],
  ['a position in part', { ...wrongShare, position: 0.5 }],
  ['a negative position', { ...wrongShare, position: -1 }],
  ['limbs that do not fit', { ...wrongShare, opening: { ...wrongShare.opening, limbs: 65_536 } }],
  ['the share of another', { ...wrongShare, accused: proof(3) }],
])('evidence is refused with %s', (_, value) => {
  refuses(() => parsed(value));
});

test('a refusal repeats nothing that an operator said', () => {
  const said = 'malicious\u001b[2J';
  for (const name of ['kind', 'subject', 'index'])
    expect(() => parsed({ ...twoRoots, [name]: said })).toThrow(/^(?!.*malicious)/);
});

test('a listing is refused as a whole for an entry that is not what it says', () => {
  const standing = standingOf(twoRoots, { state: 'hopeless', why: 'SlashingManagerSameRoot' });
  expect(listed(standing, standingOf(wrongResult))).toEqual([standing, standingOf(wrongResult)]);
  refuses(() => listed(standing, { ...standing, index: 3 }));
  refuses(() => listed({ ...standing, state: 'guilty' }));
  refuses(() => listed({ ...standing, why: 'look: \u001b[2J' }));
  refuses(() => listed(...Array.from({ length: 257 }, () => standing)));
  expect(listed(...Array.from({ length: 256 }, () => standing))).toHaveLength(256);
});

test('listings are merged by offence, each with what every holder says', () => {
  const members = [1, 2, 3, 4].map(address);
  const holder = (index: number) => ({
    ...{ index, operator: address(index), signer: address(index), endpoint: '' },
  });
  const merged = mergeListings(
    [
      { ...holder(1), answer: [standingOf(twoRoots), standingOf(twoRoots)] },
      { ...holder(2), failure: 'no answer in time' },
      {
        ...holder(3),
        answer: [
          standingOf(wrongResult),
          standingOf(twoRoots, { state: 'settled', why: 'PUNISHED' }),
        ],
      },
      { ...holder(4), answer: [standingOf(wrongResult), standingOf({ ...wrongResult, index: 5 })] },
      { ...holder(5), answer: [standingOf({ ...wrongResult, epochId: hash('none') })] },
    ],
    new Map([[EPOCH, members]]),
  );
  expect(merged.offences).toEqual([
    {
      ...{ offenceId: offenceId(twoRoots), kind: 'equivocation', epochId: EPOCH },
      ...{ subject: hash('opening'), index: 2, operator: address(2) },
      holders: [
        { operator: address(1), state: 'open', why: undefined },
        { operator: address(3), state: 'settled', why: 'PUNISHED' },
      ],
    },
    expect.objectContaining({
      operator: address(3),
      holders: [{ operator: address(3), state: 'open', why: undefined }],
    }),
  ]);
  expect(merged.unusable.map(({ operator }) => operator)).toEqual([2, 4, 5].map(address));
});

const given = (evidence: unknown, rest = {}) =>
  answering(200, { chainId: '31337', slashingManager: MANAGER, evidence, ...rest });

test('evidence is taken for the offence that was asked for, of this deployment', async () => {
  const ask = async (answer: Parameters<typeof fakeOperator>[0]) => {
    await using operator = await fakeOperator(answer);
    return await fetchOne(operator.endpoint, offenceId(twoRoots), DEPLOYMENT);
  };
  expect(await ask(given(twoRoots))).toEqual(twoRoots);
  expect(await ask(answering(404, {}))).toBeUndefined();
  await expect(ask(given(wrongResult))).rejects.toMatchObject(bad);
  await expect(ask(given(twoRoots, { chainId: '1' }))).rejects.toMatchObject(bad);
  await expect(ask(given(twoRoots, { slashingManager: address(1) }))).rejects.toMatchObject(bad);
  await expect(ask(answering(500, {}))).rejects.toMatchObject(bad);
  await expect(ask(serving(new Uint8Array((128 << 10) + 1)))).rejects.toMatchObject(bad);
});

test('a listing comes from the operator’s interface, up to a size', async () => {
  await using operator = await fakeOperator(answering(200, { evidence: [standingOf(twoRoots)] }));
  expect(await fetchListing(operator.endpoint)).toEqual([standingOf(twoRoots)]);
  await using endless = await fakeOperator(serving(new Uint8Array((256 << 10) + 1)));
  await expect(fetchListing(endless.endpoint)).rejects.toMatchObject(bad);
  await using none = await fakeOperator(answering(404, {}));
  await expect(fetchListing(none.endpoint)).rejects.toMatchObject(bad);
});
