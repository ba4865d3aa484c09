import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { codec } from '../../../../workers/net/setup/codec.ts';
import { Refusal, RefusalCode } from '../../../../workers/net/exchange/index.ts';
import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { ask, register, type DealingPart } from '../../../../workers/net/setup/index.ts';
import { sign } from '../../../../workers/operator/context.ts';
import { secretName } from '../../../../workers/operator/committee/seat.ts';
import {
  completeSetUp,
  dealAndAcknowledge,
  heldDealing,
  seedRequest,
} from '../../../../workers/operator/committee/set-up.ts';
import { committeeOf, setsContaining } from '../../../../workers/sharing/committee.ts';
import {
  createDealing,
  dealingRoot,
  servableSeeds,
  type Dealing,
} from '../../../../workers/sharing/dealing.ts';
import { setupDigest as setupDigestOf } from '../../../../workers/sharing/setup.ts';
import { expectFailure } from '../../net/support.ts';
import { bitmapOf, digestOf } from '../fake-chain.ts';
import {
  fixedDealings,
  proposalId,
  signerAccount,
  startCommittee,
  stopped,
  testSignal,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

const committee = committeeOf(4);
const epochId = digestOf('epoch');

/** An operator's part in the set-up of the proposal. */
function takePart({ context, chain, membership }: TestOperator, signal = testSignal()) {
  const done = dealAndAcknowledge(context, chain, membership(), proposalId, signal);
  done.catch(() => undefined);
  return done;
}

const rootsOf = ({ at }: TestCommittee) => at(1).chain.now.proposals.get(proposalId)!.roots;

/** Resolves when each of these members has acknowledged these dealers, and no other. */
async function acknowledged(
  { at }: TestCommittee,
  expected: Readonly<Record<number, readonly number[]>>,
) {
  const { chain } = at(1);
  const given = () => chain.now.proposals.get(proposalId)!.acknowledgements;
  const complete = () =>
    Object.entries(expected).every(
      ([member, dealers]) => given().get(Number(member)) === bitmapOf(dealers),
    );
  while (!complete()) await chain.change(testSignal());
}

/** Freezes the set-up with these dealers, as the contract would. */
function freeze(committee4: TestCommittee, standing: readonly number[]): void {
  const roots = standing.map((dealer) => rootsOf(committee4).get(dealer)!);
  const setupDigest = setupDigestOf(committee, proposalId, standing, roots);
  const standingBitmap = bitmapOf(standing);
  const args = { proposalId, epochId, setupDigest, standingBitmap };
  committee4.chain.emit({ eventName: 'EpochFrozen', args });
}

/** Completes the frozen set-up at an operator. */
function complete({ context, chain, membership }: TestOperator, signal = testSignal()) {
  const done = completeSetUp(context, membership(), chain.now.epochs.get(epochId)!, signal);
  done.catch(() => undefined);
  return done;
}

const setKeysOf = ({ context }: TestOperator) =>
  context.store.secrets.get(secretName.setKeys(epochId));

/** What a dealer gives a member. */
function partFor(
  dealer: number,
  member: number,
  dealing: Pick<Dealing, 'seeds' | 'hashes'> = fixedDealings(4).get(dealer)!,
) {
  const seeds = servableSeeds(committee, member, dealer, dealing.seeds);
  return { hashes: dealing.hashes, seeds } satisfies DealingPart;
}

const hold = ({ context }: TestOperator, dealer: number, part: DealingPart): void =>
  context.store.secrets.put(secretName.seeds(proposalId, dealer), codec.encodeAnswer(part));

const post = ({ chain }: TestCommittee, dealer: number, root: Hex) =>
  chain.emit({ eventName: 'DealingPosted', args: { proposalId, dealer, root } });

describe('a set-up', () => {
  it('deals, acknowledges, and gives the members of each set the same key', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { operators } = committee4;
    const parts = operators.map((operator) => takePart(operator));
    const all = [1, 2, 3, 4];
    await acknowledged(committee4, { 1: all, 2: all, 3: all, 4: all });
    freeze(committee4, all);
    await Promise.all(parts);
    await Promise.all(operators.map((operator) => complete(operator)));
    expect(committee4.chain.calls.filter((call) => call.functionName === 'confirm')).toHaveLength(
      4,
    );

    for (const operator of operators) operator.seats.refresh();
    const item = {
      primes: [1033n],
      degree: 8,
      itemId: digestOf('item'),
      distribution: { kind: 'ternary' },
    } as const;
    const shares = operators.map(({ seats }) => seats.get(epochId)!.randomness.share(item));
    // Any two shares give the line; the others lie on it.
    const at = (x: bigint, j: number) =>
      shares[0][j] * (2n - x) + shares[1][j] * (x - 1n) + 1033n * 1033n * 4n;
    for (let j = 0; j < 8; j++) {
      expect(at(3n, j) % 1033n).toBe(shares[2][j]);
      expect(at(4n, j) % 1033n).toBe(shares[3][j]);
    }
  });

  it('has a dealing on disk before its root is posted, and never draws another', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { chain, at } = committee4;
    const operator = at(1);
    const traffic = Promise.withResolvers<void>();
    chain.congestion = traffic.promise;
    const killed = new AbortController();
    const first = takePart(operator, killed.signal);
    let held: DealingPart | undefined;
    while ((held = heldDealing(operator.context, proposalId, 1)) === undefined)
      await new Promise(setImmediate);
    expect(chain.calls).toEqual([]);
    killed.abort(stopped());
    await expect(first).rejects.toMatchObject(stopped());
    chain.congestion = undefined;
    void takePart(operator);
    while (rootsOf(committee4).size === 0) await operator.chain.change(testSignal());
    expect(rootsOf(committee4).get(1)).toBe(dealingRoot(held.hashes));
    traffic.resolve();
  });

  it('does not post again what is posted', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { root } = fixedDealings(4).get(1)!;
    post(committee4, 1, root);
    const stop = new AbortController();
    const part = takePart(committee4.at(1), stop.signal);
    hold(committee4.at(2), 2, fixedDealings(4).get(2)!);
    void takePart(committee4.at(2));
    await acknowledged(committee4, { 1: [2], 2: [2] });
    const posts = committee4.chain.calls.filter((call) => call.functionName === 'postDealing');
    expect(posts).toHaveLength(1);
    stop.abort(stopped());
    await expect(part).rejects.toMatchObject(stopped());
  });

  it('ends when the signal does, although a transaction never comes through', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { chain, at } = committee4;
    // Only its own dealing is left to do.
    for (const dealer of [2, 3, 4]) {
      post(committee4, dealer, fixedDealings(4).get(dealer)!.root);
      hold(at(1), dealer, partFor(dealer, 1));
    }
    const given = { proposalId, member: 1, dealerBitmap: bitmapOf([2, 3, 4]) };
    chain.emit({ eventName: 'DealingsAcknowledged', args: given });
    chain.congestion = new Promise(() => undefined);
    const stop = new AbortController();
    const part = takePart(at(1), stop.signal);
    while (heldDealing(at(1).context, proposalId, 1) === undefined) await new Promise(setImmediate);
    await new Promise(setImmediate);
    stop.abort(stopped());
    await expect(part).rejects.toMatchObject(stopped());
  });
});

describe('a dealing that is wrong', () => {
  const wrong = createDealing(committee, proposalId, 4, (length) => new Uint8Array(length).fill(7));
  const right = fixedDealings(4).get(4)!;
  const flipped = (member: number): DealingPart => {
    const { hashes, seeds } = partFor(4, member);
    const [[number, seed]] = seeds;
    return { hashes, seeds: new Map([...seeds, [number, seed.map((byte) => byte ^ 1)]]) };
  };

  it.each<[string, (member: number) => DealingPart | Refusal]>([
    ['behind another root', (member) => partFor(4, member, wrong)],
    ['with a seed that has another hash', flipped],
    ['without a seed', (member) => ({ ...partFor(4, member), seeds: new Map() })],
    ['with a seed too many', () => ({ hashes: right.hashes, seeds: right.seeds })],
    ['that is kept back', () => new Refusal(RefusalCode.unknown)],
  ])('%s is not acknowledged, the others are', async (_, part) => {
    const committee4 = await startCommittee(4, { proposedOnly: true, mute: [4] });
    const { operators, at } = committee4;
    const asked = new Set<string>();
    await register(at(4).context.host, async (peerId, { dealer }) => {
      if (dealer !== 4) return new Refusal(RefusalCode.unknown);
      asked.add(peerId);
      return part(operators.find(({ context }) => context.host.peerId === peerId)!.index);
    });
    post(committee4, 4, right.root);
    for (const index of [1, 2, 3]) void takePart(at(index));
    await acknowledged(committee4, { 1: [1, 2, 3], 2: [1, 2, 3], 3: [1, 2, 3] });
    const refused = () =>
      [1, 2, 3].every((index) =>
        at(index).lines.some(({ message }) => message === 'dealing not acknowledged'),
      );
    while (!refused()) await new Promise(setImmediate);
    expect(asked.size).toBe(3);
    for (const index of [1, 2, 3])
      expect(heldDealing(at(index).context, proposalId, 4)).toBeUndefined();
  });

  it('is not acknowledged for another root than the one it is behind', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    // As a reorganisation leaves it: the member holds one dealing, the chain has another's root.
    hold(committee4.at(1), 4, partFor(4, 1, wrong));
    post(committee4, 4, right.root);
    hold(committee4.at(4), 4, right);
    void takePart(committee4.at(1));
    await acknowledged(committee4, { 1: [1, 4] });
    const held = heldDealing(committee4.at(1).context, proposalId, 4);
    expect(held).toEqual(partFor(4, 1));
  });
});

describe('seeds', () => {
  it('that are missing after the freeze are pulled from whoever has them', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { at } = committee4;
    const dealings = fixedDealings(4);
    for (const [dealer, { root, ...dealing }] of dealings) {
      post(committee4, dealer, root);
      for (const member of [2, 3, 4]) {
        // The dealer 1 is away for good; member 1 has nothing but its own.
        if (dealer === member) hold(at(member), dealer, dealing);
        else if (dealer !== 1 || member !== 4) hold(at(member), dealer, partFor(dealer, member));
      }
    }
    freeze(committee4, [1, 2, 3, 4]);
    await Promise.all([1, 2, 3, 4].map((index) => complete(at(index))));
    for (const dealer of [1, 2, 3, 4]) {
      const { seeds, hashes } = heldDealing(at(1).context, proposalId, dealer)!;
      expect([...seeds.keys()]).toEqual(setsContaining(committee, dealer, 1));
      expect(hashes).toEqual(dealings.get(dealer)!.hashes);
    }
    expect(heldDealing(at(4).context, proposalId, 1)).toEqual(partFor(1, 4));
    const reference = await startCommittee(4, { proposedOnly: true });
    for (const [dealer, { root, ...dealing }] of dealings) {
      post(reference, dealer, root);
      hold(reference.at(1), dealer, dealer === 1 ? dealing : partFor(dealer, 1));
    }
    freeze(reference, [1, 2, 3, 4]);
    await complete(reference.at(1));
    expect(setKeysOf(at(1))).toEqual(setKeysOf(reference.at(1)));
  });

  it('that are wrong are refused, from whomever they come', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true, mute: [2, 3] });
    const { at } = committee4;
    for (const [dealer, { root, ...dealing }] of fixedDealings(4)) {
      post(committee4, dealer, root);
      hold(at(4), dealer, dealer === 4 ? dealing : partFor(dealer, 4));
      hold(at(1), dealer, dealer === 1 ? dealing : partFor(dealer, 1));
    }
    at(1).context.store.secrets.delete(secretName.seeds(proposalId, 2));
    freeze(committee4, [1, 2, 3, 4]);
    // The dealer lies, the next one has its seeds from a dealing of another root.
    await register(at(2).context.host, async () => {
      const { hashes, seeds } = partFor(2, 1);
      const changed = [...seeds].map(([number, seed]) => [number, seed.toReversed()] as const);
      return { hashes, seeds: new Map(changed) };
    });
    const another = createDealing(committee, proposalId, 2, (length) => new Uint8Array(length));
    let lies = 0;
    const honest = Promise.withResolvers<void>();
    await register(at(3).context.host, async () => {
      lies += 1;
      if (lies === 1) return partFor(2, 1, another);
      honest.resolve();
      return partFor(2, 1);
    });
    // Member 4 lacks the seed of the set that it is not in, so these take more than one answer.
    await complete(at(1));
    await honest.promise;
    expect(heldDealing(at(1).context, proposalId, 2)).toEqual(partFor(2, 1));
    const refusals = at(1).lines.filter(({ message }) => message === 'seeds refused');
    expect(new Set(refusals.map(({ fields }) => fields['from']))).toEqual(new Set([2, 3]));
  });

  it('are given to members only, each what is its own, until it has confirmed', async () => {
    const committee4 = await startCommittee(4, { proposedOnly: true });
    const { at, chain } = committee4;
    for (const [dealer, { root, ...dealing }] of fixedDealings(4)) {
      post(committee4, dealer, root);
      hold(at(1), dealer, dealer === 1 ? dealing : partFor(dealer, 1));
    }
    const question = async (index: number, dealer: number, id = proposalId, signer = index) => {
      const { host } = at(index).context;
      const context = { ...at(index).context, account: signerAccount(signer) };
      const signature = await sign(context, seedRequest(id, host.peerId));
      const asked = { proposalId: id, dealer, signature };
      return ask(host, at(1).context.host.peerId, asked, { signal: testSignal() });
    };
    const refusal = async (work: Promise<unknown>) =>
      (await expectFailure(work, NetErrorCode.refused)).metadata.refusal;

    expect(await question(2, 1)).toEqual(partFor(1, 2));
    // Of a third party's seeds: what all three are entitled to.
    const { seeds } = await question(2, 3);
    expect([...seeds.keys()]).toEqual(setsContaining(committee, 1, 2, 3));
    expect(await refusal(question(2, 5))).toBe(RefusalCode.unknown);
    expect(await refusal(question(2, 1, digestOf('no proposal')))).toBe(RefusalCode.unknown);

    // Whose seeds they are is for the signature to say, not for the registry.
    expect(await question(2, 1, proposalId, 3)).toEqual(partFor(1, 3));
    expect(await refusal(question(2, 1, proposalId, 9))).toBe(RefusalCode.forbidden);
    const { host } = at(2).context;
    for (const [id, peerId] of [
      [proposalId, at(3).context.host.peerId],
      [digestOf('another proposal'), host.peerId],
    ] as const) {
      const signature = await sign(at(3).context, seedRequest(id, peerId));
      const asked = { proposalId, dealer: 1, signature };
      const answer = ask(host, at(1).context.host.peerId, asked, { signal: testSignal() });
      expect(await refusal(answer)).toBe(RefusalCode.forbidden);
    }

    freeze(committee4, [1, 2, 3, 4]);
    expect(await question(2, 1)).toEqual(partFor(1, 2));
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 2 } });
    expect(await refusal(question(2, 1))).toBe(RefusalCode.forbidden);
    expect(await refusal(question(2, 3))).toBe(RefusalCode.forbidden);
    expect(await question(3, 1)).toEqual(partFor(1, 3));
  });
});
