import { describe, expect, it } from 'vitest';

import * as keyGeneration from '../../../workers/protocols/key-generation.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { dealAndAcknowledge } from '../../../workers/operator/committee/set-up.ts';
import { conclude } from '../../../workers/operator/duties/conclude.ts';
import { resultKey } from '../../../workers/operator/duties/certify.ts';
import { offerShare, shareKey } from '../../../workers/operator/openings/own-shares.ts';
import { StoreError, StoreErrorCode } from '../../../workers/store/errors.ts';
import { digestOf } from './fake-chain.ts';
import { proposalId, startCommittee, testSignal } from './harness.ts';

// Nothing leaves an operator that it could not write down first.

const subject = digestOf('key');
const full = (): never => {
  throw new StoreError(StoreErrorCode.DISK_FULL, 'no room');
};
const refused = { code: StoreErrorCode.DISK_FULL };

describe('an operator whose disk is full', () => {
  it('gives out no share that is not in its journal', async () => {
    const { at, epochId } = await startCommittee(4);
    const { context, seat } = at(1);
    const { store, boards } = context;
    const set = parameterSet('insecure-bfv-1024');
    const opening = keyGeneration.describe(seat().session, { keyId: subject, set });
    const { share } = keyGeneration.share(opening, seat().randomness);
    store.openings.commit = full;
    const offered = offerShare(context, seat(), subject, opening, share);
    await expect(offered).rejects.toMatchObject(refused);
    expect(boards.shares.get(shareKey(epochId, opening.id))).toBeUndefined();
    expect(await store.transcripts.get(opening.id, 1)).toBeUndefined();
  });

  it('nor one that could not be kept for those who ask later', async () => {
    const { at, epochId } = await startCommittee(4);
    const { context, seat } = at(1);
    const set = parameterSet('insecure-bfv-1024');
    const opening = keyGeneration.describe(seat().session, { keyId: subject, set });
    const { share } = keyGeneration.share(opening, seat().randomness);
    context.store.transcripts.put = async () => full();
    const offered = offerShare(context, seat(), subject, opening, share);
    await expect(offered).rejects.toMatchObject(refused);
    expect(context.boards.shares.get(shareKey(epochId, opening.id))).toBeUndefined();
  });

  it('signs no result that is not in its journal', async () => {
    const { at, epochId } = await startCommittee(4);
    const { context, seat } = at(1);
    context.store.results.commit = full;
    const outcome = {
      ...{ id: subject, result: Uint8Array.of(1) },
      statement: () => expect.unreachable('it was signed'),
      submit: () => expect.unreachable('it was sent'),
    };
    await expect(conclude(context, seat(), outcome, testSignal())).rejects.toMatchObject(refused);
    expect(context.boards.results.get(resultKey(epochId, subject))).toBeUndefined();
  });

  it('posts no root of seeds that it does not keep', async () => {
    const committee = await startCommittee(4, { proposedOnly: true });
    const { context, chain, membership } = committee.at(1);
    context.store.secrets.replace = full;
    const dealt = dealAndAcknowledge(context, chain, membership(), proposalId, testSignal());
    await expect(dealt).rejects.toMatchObject(refused);
    expect(committee.chain.calls).toEqual([]);
  });
});
