import { keccak256, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { DamageCode } from '../../../workers/operator/damages.ts';
import { duties } from '../../../workers/operator/duties/duties.ts';
import { isBeforeRestore } from '../../../workers/operator/restored.ts';
import { checkHoldings } from '../../../workers/operator/holdings.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { openingId, parameterSetId } from '../../../workers/sharing/ids.ts';
import { preimageOf } from '../store/crash-round.ts';
import { digestOf } from './fake-chain.ts';
import { watched } from './health/watching.ts';
import { startCommittee, testSignal, type TestOperator } from './harness.ts';

const set = parameterSet('insecure-bfv-1024');
const keyId = digestOf('key');
const preimage = preimageOf(digestOf('content'));

const check = ({ context, chain, seats, keyShares }: TestOperator) =>
  checkHoldings(context, chain, seats, keyShares, testSignal());

/** Keys that it would work on. */
const keyJobs = (operator: TestOperator): string[] =>
  duties({ ...operator, reread: () => undefined })
    .map(({ id }) => id)
    .filter((id) => id.startsWith('key/'));

/** An operator with a key, a signed share and a signed result, all of them right. */
async function start() {
  const committee = await startCommittee(4);
  const { chain, epochId, setupDigest } = committee;
  const operator = committee.at(1);
  const { store } = operator.context;
  const requested = { keyId, epochId, parameterSetId: parameterSetId(set), deadline: 10n ** 10n };
  const digest = digestOf('public key');
  chain.emit(
    { eventName: 'KeyRequested', args: requested },
    { eventName: 'PublicKeyRecorded', args: { keyId, digest } },
  );
  operator.keyShares.get(operator.seat(), keyId, set);
  store.results.commit(keyId, keccak256(digest));
  const opening = { openingId: openingId(setupDigest, preimage), epochId, preimage };
  store.openings.commit(opening, digestOf('root'));
  return { ...committee, operator, store, opening };
}

describe('what an operator holds at its start', () => {
  it('is in order', async () => {
    const { operator, chain } = await start();
    await check(operator);
    expect(operator.context.damages.list()).toEqual([]);
    expect(await (await watched(operator, chain)).health.report()).toMatchObject({
      status: 'ok',
      damaged: [],
    });
  });

  it.each<[string, (id: Hex) => Hex, object]>([
    ['another id', () => digestOf('another'), preimage],
    ['another preimage', (id) => id, { ...preimage, step: preimage.step + 1 }],
    ['a preimage of other fields', (id) => id, { itemPrefix: 'none' }],
  ])('is damaged if an opening has %s, and nothing is signed then', async (_, idOf, kept) => {
    const { operator, opening, chain, at, epochId } = await start();
    const { context } = operator;
    const id = idOf(opening.openingId);
    const other = { ...opening, openingId: id, preimage: kept as typeof preimage };
    // In a store of its own, as it would have been read from the disk.
    Object.assign(context, { store: at(2).context.store });
    context.store.openings.commit(other, digestOf('root'));
    const asked = {
      keyId: digestOf('new'),
      epochId,
      parameterSetId: parameterSetId(set),
      deadline: 10n ** 10n,
    };
    chain.emit({ eventName: 'KeyRequested', args: asked });
    const jobs = () => keyJobs(operator);
    expect(jobs()).toHaveLength(1);
    await check(operator);
    const damage = { code: DamageCode.JOURNAL_DAMAGED, what: `openings/${id}` };
    expect(context.damages.list()).toEqual([damage]);
    expect(jobs()).toEqual([]);
    expect(await (await watched(operator, chain)).health.report()).toMatchObject({
      ...{ status: 'degraded', reasons: ['JOURNAL_DAMAGED'], damaged: [damage] },
    });
  });

  it('has a result that differs from the recorded one', async () => {
    const { operator, chain, epochId } = await start();
    const other = digestOf('other key');
    chain.emit(
      { eventName: 'KeyRequested', args: { keyId: other, epochId } },
      { eventName: 'PublicKeyRecorded', args: { keyId: other, digest: digestOf('recorded') } },
    );
    operator.context.store.results.commit(other, digestOf('signed'));
    await check(operator);
    const damage = { code: DamageCode.RESULT_DIFFERS, what: `results/${other}` };
    expect(operator.context.damages.list()).toEqual([damage]);
  });

  it('has a share of a key that the set keys do not give, and names the key', async () => {
    const { at } = await start();
    const operator = at(3);
    operator.context.store.secrets.put(`key/${keyId}/share/0`, new Uint8Array(16));
    await check(operator);
    const damage = { code: DamageCode.KEY_SHARE_DAMAGED, what: `key/${keyId}` };
    expect(operator.context.damages.list()).toEqual([damage]);
  });
});

describe('a restored operator', () => {
  it('leaves requests from before it was restored to the others, but for those it has a record of', async () => {
    const { operator, store, chain, epochId } = await start();
    const request = (name: string) => {
      const args = {
        keyId: digestOf(name),
        epochId,
        parameterSetId: parameterSetId(set),
        deadline: 10n ** 10n,
      };
      chain.emit({ eventName: 'KeyRequested', args });
      return operator.chain.now.keys.get(args.keyId)!;
    };
    const [recorded, before] = [request('recorded'), request('before')];
    store.results.commit(recorded.keyId, digestOf('result'));
    store.restoration.mark('2026-01-01T00:00:00.000Z');
    store.restoration.close(before.height);
    const after = request('after');
    const is = ({ keyId: id, height }: typeof after) => isBeforeRestore(store, { id, height });
    expect([recorded, before, after].map(is)).toEqual([false, true, false]);
    expect(keyJobs(operator)).toEqual([
      `key/${recorded.keyId}/${recorded.height}`,
      `key/${after.keyId}/${after.height}`,
    ]);
  });
});
