import { describe, expect, it } from 'vitest';

import { DamageCode } from '../../../../workers/operator/damages.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { secretName } from '../../../../workers/operator/committee/seat.ts';
import { Seats } from '../../../../workers/operator/committee/seats.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { digestOf } from '../fake-chain.ts';
import { proposalId, startCommittee, stopped, testSignal } from '../harness.ts';

const keyId = digestOf('key');

const confirm = (epochId: string, member: number) =>
  ({ eventName: 'EpochConfirmed', args: { epochId, member } }) as const;

describe('seats', () => {
  it('are filled as soon as the set keys are there', async () => {
    const { at, epochId, giveKeys } = await startCommittee(4, { keyless: [2] });
    const { seats } = at(2);
    expect(at(1).seats.get(epochId)).toMatchObject({ index: 1 });
    expect(seats.get(epochId)).toBeUndefined();
    const waiting = seats.ready(epochId, testSignal());
    giveKeys(2);
    seats.refresh();
    expect(await waiting).toBe(seats.get(epochId));
    expect(await seats.ready(epochId, testSignal())).toBe(seats.get(epochId));
  });

  it('are waited for no longer than the signal allows', async () => {
    const { at, epochId } = await startCommittee(4, { keyless: [2] });
    const stop = new AbortController();
    const waiting = at(2).seats.ready(epochId, stop.signal);
    stop.abort(stopped());
    await expect(waiting).rejects.toMatchObject(stopped());
  });

  it('that an operator confirmed and has lost are reported, once', async () => {
    const { at, chain, epochId } = await startCommittee(4, { keyless: [2] });
    const { seats, lines } = at(2);
    const phase = 'active';
    expect(at(1).seats.standings()).toEqual([{ epochId, index: 1, phase, shares: 'held' }]);
    expect(seats.standings()).toEqual([{ epochId, index: 2, phase, shares: 'pending' }]);
    chain.emit(confirm(epochId, 2));
    seats.refresh();
    seats.refresh();
    expect(seats.standings()).toEqual([{ epochId, index: 2, phase, shares: 'missing' }]);
    const reports = lines.filter(
      ({ fields }) => fields['code'] === OperatorErrorCode.SHARES_MISSING,
    );
    expect(reports).toHaveLength(1);
  });

  it.each(['EpochRetired', 'ProposalAbandoned'] as const)(
    'of an epoch that has ended (%s) keep their secrets until these are erased, then none',
    async (eventName) => {
      const { at, chain, epochId } = await startCommittee(4);
      const { seats, context, seat, chain: state } = at(1);
      const { secrets } = context.store;
      const { randomness } = seat();
      const another = secretName.keyShare(digestOf('key of another epoch'), 0);
      secrets.put(secretName.keyShare(keyId, 0), new Uint8Array(8));
      secrets.put(another, new Uint8Array(8));
      chain.emit({ eventName: 'KeyRequested', args: { keyId, epochId } });
      chain.emit({ eventName, args: { epochId, proposalId } });
      seats.refresh();
      expect(secrets.list('')).toHaveLength(1 + 4 + 2);
      expect(seats.standings()).toEqual([]);
      const epoch = state.now.epochs.get(epochId)!;
      expect(seats.hasSecrets(epoch)).toBe(true);
      const restarted = new Seats(context, state, at(1).keyShares);
      restarted.refresh();
      expect(restarted.get(epochId)).toBeUndefined();
      seats.erase(epoch);
      seats.refresh();
      expect(secrets.list('')).toEqual([another]);
      expect(seats.hasSecrets(epoch)).toBe(false);
      expect(seats.get(epochId)).toBeUndefined();
      const item = {
        primes: [1033n],
        degree: 8,
        itemId: keyId,
        distribution: { kind: 'ternary' },
      } as const;
      const code = SharingErrorCode.SET_KEYS_ERASED;
      expect(() => randomness.share(item)).toThrow(expect.objectContaining({ code }));
      // Others may still have to agree with it on the end.
      expect(await seats.place(epochId, testSignal())).toMatchObject({ index: 1 });
    },
  );

  it('are entered anew after a reorganisation, and nothing is erased', async () => {
    const { at, epochId } = await startCommittee(4);
    const { seats, context } = at(1);
    const secrets = context.store.secrets.list('');
    seats.clear();
    expect(seats.get(epochId)).toBeUndefined();
    const waiting = [seats.ready(epochId, testSignal()), seats.place(epochId, testSignal())];
    seats.refresh();
    expect(await Promise.all(waiting)).toMatchObject([{ index: 1 }, { index: 1 }]);
    expect(context.store.secrets.list('')).toEqual(secrets);
  });

  it('are none in other committees', async () => {
    const { at, chain } = await startCommittee(4);
    const others = ['a', 'b', 'c', 'd'].map((name) => digestOf(name).slice(0, 42));
    const id = digestOf('others');
    const [epochId, setupDigest] = [digestOf('their epoch'), digestOf('their set-up')];
    chain.emit(
      {
        eventName: 'EpochProposed',
        args: { proposalId: id, operators: others, signers: others, deadline: 0n },
      },
      {
        eventName: 'EpochFrozen',
        args: { proposalId: id, epochId, setupDigest, standingBitmap: 15n },
      },
    );
    at(1).seats.refresh();
    expect(at(1).seats.get(epochId)).toBeUndefined();
    expect(at(1).seats.standings()).toHaveLength(1);
  });
});

describe('what is kept of an epoch and is not what the chain says', () => {
  type Secrets = Awaited<
    ReturnType<typeof startCommittee>
  >['operators'][0]['context']['store']['secrets'];
  const flip = (secrets: Secrets, name: string, at: number): void => {
    const value = Uint8Array.from(secrets.get(name)!);
    value[(at + value.length) % value.length] ^= 1;
    secrets.replace(name, value);
  };

  it.each<[string, (name: string) => boolean, (secrets: Secrets, name: string) => void]>([
    ['a set key', (name) => name.startsWith('epoch/'), (secrets, name) => flip(secrets, name, 10)],
    [
      'the number of a set',
      (name) => name.startsWith('epoch/'),
      (secrets, name) => flip(secrets, name, 0),
    ],
    ['a seed', (name) => name.endsWith('/3'), (secrets, name) => flip(secrets, name, -1)],
    ['a hash of a seed', (name) => name.endsWith('/3'), (secrets, name) => flip(secrets, name, 40)],
    [
      'seeds that are missing',
      (name) => name.endsWith('/3'),
      (secrets, name) => secrets.delete(name),
    ],
    [
      'seeds that are cut off',
      (name) => name.endsWith('/3'),
      (secrets, name) => secrets.replace(name, new Uint8Array(3)),
    ],
  ])('is named, and the epoch is not served: %s', async (_, isIt, damage) => {
    const { at, epochId } = await startCommittee(4);
    const { context, chain, keyShares, lines } = at(2);
    const { secrets } = context.store;
    const what = secrets.list('').find(isIt)!;
    damage(secrets, what);
    const seats = new Seats(context, chain, keyShares);
    seats.refresh();
    seats.refresh();
    expect(seats.get(epochId)).toBeUndefined();
    expect(seats.standings()).toEqual([{ epochId, index: 2, phase: 'active', shares: 'damaged' }]);
    expect(context.damages.list()).toEqual([{ code: DamageCode.SET_KEYS_DAMAGED, what }]);
    const logged = lines.filter(({ fields }) => fields['code'] === DamageCode.SET_KEYS_DAMAGED);
    expect(logged).toMatchObject([{ level: 'error', fields: { what } }]);
  });
});
