import { expect, test } from 'vitest';

import { SdkErrorCode } from '../../../sdk/errors.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import { describeViews } from '../../../tasks/support/observer.ts';
import {
  askAll,
  faultsNamed,
  fetchHealth,
  fetchRequestView,
  operatorWatch,
  requireQuorum,
  unansweredWait,
  type Answered,
  type Member,
  type RequestView,
} from '../../../tasks/support/operators.ts';
import { answering, fakeOperator } from './fake-operator.ts';

const ADDRESS = '0x00000000000000000000000000000000000000aa';
const EPOCH = `0x${'11'.repeat(32)}` as const;
const REQUEST = `0x${'22'.repeat(32)}` as const;
const NOBODY = 'http://127.0.0.1:1';

const member = (index: number, endpoint: string): Member => ({
  index,
  operator: ADDRESS,
  signer: ADDRESS,
  endpoint,
});

const health = (shares: boolean) => ({
  status: shares ? 'ok' : 'degraded',
  reasons: shares ? [] : ['SHARES_MISSING'],
  signer: ADDRESS,
  peerId: 'peer',
  height: 5,
  epochs: [{ epochId: EPOCH, index: 1, phase: 'active', shares: shares ? 'held' : 'missing' }],
  traffic: { sentBytes: 12, receivedBytes: 34 },
});

const view = (faulty: RequestView['faulty'], rest: Partial<RequestView> = {}): RequestView => ({
  id: REQUEST,
  kind: 'decryption',
  state: 'opening',
  waitingFor: [],
  error: undefined,
  faulty,
  milliseconds: {},
  ...rest,
});

const seen = (
  index: number,
  answer: RequestView | undefined,
): Answered<RequestView | undefined> => ({
  ...member(index, NOBODY),
  answer,
});

const accuse = (index: number) => ({ index, operator: ADDRESS, reason: 'WRONG_SHARE' });
const committee = { n: 4, quorum: 3 };

test('a health of 503 is read like one of 200', async () => {
  await using degraded = await fakeOperator(answering(503, health(false)));
  expect(await fetchHealth(degraded.endpoint)).toMatchObject({
    status: 'degraded',
    reasons: ['SHARES_MISSING'],
    epochs: [{ epochId: EPOCH, shares: false }],
    traffic: { sentBytes: 12, receivedBytes: 34 },
  });
});

test.each([[[]], ['text'], [null]])('an answer that is %j is refused', async (document) => {
  await using strange = await fakeOperator(answering(200, document));
  await expect(fetchHealth(strange.endpoint)).rejects.toMatchObject({
    code: SdkErrorCode.BAD_ANSWER,
  });
});

test('a request that an operator does not know is undefined', async () => {
  await using ignorant = await fakeOperator(answering(404, { code: 'NOT_FOUND' }));
  expect(await fetchRequestView(ignorant.endpoint, REQUEST)).toBeUndefined();
});

test('t accusers name nobody, t+1 do', () => {
  const t = 1;
  expect(faultsNamed([seen(1, view([accuse(2)])), seen(3, view([]))], t)).toEqual([]);
  expect(faultsNamed([seen(1, view([accuse(2)])), seen(3, view([accuse(2)]))], t)).toEqual([
    { ...accuse(2), reportedBy: [1, 3] },
  ]);
});

test('an accuser counts once, however often it accuses', () => {
  const views = [seen(1, view([accuse(2), accuse(2), accuse(2)])), seen(3, undefined)];
  expect(faultsNamed(views, 1)).toEqual([]);
});

test('a quorum is met without the one that is down', async () => {
  await using able = await fakeOperator(answering(200, health(true)));
  const members = [1, 2, 3].map((index) => member(index, able.endpoint));
  await requireQuorum({ epochId: EPOCH, committee }, [...members, member(4, NOBODY)]);
});

test('an operator that answers but lacks its shares does not count, and is named', async () => {
  await using able = await fakeOperator(answering(200, health(true)));
  await using unable = await fakeOperator(answering(503, health(false)));
  const members = [
    member(1, able.endpoint),
    member(2, unable.endpoint),
    member(3, able.endpoint),
    member(4, NOBODY),
  ];
  await expect(requireQuorum({ epochId: EPOCH, committee }, members)).rejects.toMatchObject({
    code: ClientErrorCode.TOO_FEW_OPERATORS,
    culprits: [2, 4],
    metadata: { able: 2, quorum: 3 },
  });
});

test('waiting in vain is told apart from operators that are gone', async () => {
  await using able = await fakeOperator(answering(200, health(true)));
  const all = [1, 2, 3, 4].map((index) => member(index, able.endpoint));
  expect(await unansweredWait(all, 3, 'no result yet')).toMatchObject({
    code: ClientErrorCode.WAIT_TIMED_OUT,
  });
  const few = all.map((one) => (one.index > 2 ? { ...one, endpoint: NOBODY } : one));
  expect(await unansweredWait(few, 3, 'no result yet')).toMatchObject({
    code: ClientErrorCode.TOO_FEW_OPERATORS,
    culprits: [3, 4],
  });
});

test('the watch gives up only after several rounds in vain, and only when asked to', async () => {
  const members = [1, 2, 3, 4].map((index) => member(index, NOBODY));
  const patient = operatorWatch(members, 3, { failFast: false, intervalMs: 0 });
  const hasty = operatorWatch(members, 3, { failFast: true, intervalMs: 0 });
  for (let round = 1; round <= 5; round++) await patient();
  await hasty();
  await hasty();
  await expect(hasty()).rejects.toMatchObject({ code: ClientErrorCode.TOO_FEW_OPERATORS });
});

test('what takes many openings is told with how far it is, and what is hopeless with why', () => {
  const views = [
    seen(1, view([], { progress: { done: 37, total: 100 } })),
    seen(2, view([], { state: 'certifying', progress: { done: 100, total: 100 } })),
    seen(3, view([], { state: 'agreeing', error: 'TRANSPARENT', reason: 'not a public key' })),
  ];
  expect(describeViews(views)).toBe(
    'operator 1: opening 37/100; operator 2: certifying; operator 3: agreeing (not a public key)',
  );
});

test('views are told in one sentence, operators of one mind together', async () => {
  const views = await askAll([member(4, NOBODY)], (endpoint) =>
    fetchRequestView(endpoint, REQUEST),
  );
  const told = describeViews([
    seen(1, view([], { waitingFor: [3, 4] })),
    seen(2, view([], { waitingFor: [3, 4] })),
    seen(3, undefined),
    ...views,
  ]);
  expect(told).toBe(
    'operators 1, 2: opening, waiting for 3, 4; operator 3: not seen yet; operator 4: no answer',
  );
});
