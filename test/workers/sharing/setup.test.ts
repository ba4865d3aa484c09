import { describe, expect, it } from 'vitest';
import type { Hex } from 'viem';
import { committeeOf, setsContaining } from '../../../workers/sharing/committee.ts';
import {
  createDealing,
  servableSeeds,
  verifyDealing,
  verifyDealingHashes,
  verifySeed,
} from '../../../workers/sharing/dealing.ts';
import type { Dealing } from '../../../workers/sharing/dealing.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { SharedRandomness } from '../../../workers/sharing/prss.ts';
import { deriveSetKeys, epochId, setupDigest } from '../../../workers/sharing/setup.ts';
import vectors from '../../vectors/sharing.json' with { type: 'json' };
import * as reference from './reference.ts';

const digest = (text: string): Hex => reference.toHex(reference.sha256(Buffer.from(text)));
const proposalId = digest('proposal');
const coded = (code: SharingErrorCode, culprits: number[] = []): Error =>
  expect.objectContaining({ code, culprits }) as Error;

describe('test vectors of the set-up', () => {
  const { setup } = vectors;
  const committee = committeeOf(setup.n);
  const seed = (dealer: number, set: number): Uint8Array =>
    reference.sha256(Buffer.from(`seed ${dealer}/${set}`));

  it('dealing roots', () => {
    const roots = setup.standing.map((dealer) => {
      const seeds = setsContaining(committee, dealer).map((set) => seed(dealer, set));
      return createDealing(committee, setup.proposalId as Hex, dealer, () => seeds.shift()!).root;
    });
    expect(roots).toEqual(setup.roots);
  });

  it('set-up digest and epoch id', () => {
    expect(
      setupDigest(committee, setup.proposalId as Hex, setup.standing, setup.roots as Hex[]),
    ).toBe(setup.setupDigest);
    expect(
      epochId({
        chainId: BigInt(setup.chainId),
        epochManager: setup.epochManager as Hex,
        signers: setup.signers as Hex[],
        setupDigest: setup.setupDigest as Hex,
      }),
    ).toBe(setup.epochId);
  });

  it('set keys', () => {
    const keys = new Map<number, Uint8Array>();
    for (let index = 1; index <= setup.n; index++) {
      const own = deriveSetKeys(committee, index, setup.setupDigest as Hex, setup.standing, seed);
      own.forEach((key, number) => keys.set(number, key));
    }
    expect(setup.setKeys.map((_, number) => reference.toHex(keys.get(number)!))).toEqual(
      setup.setKeys,
    );
  });
});

describe('a dealing', () => {
  const committee = committeeOf(7);
  const dealer = 3;
  const member = 5;
  const dealing = createDealing(committee, proposalId, dealer, reference.seededBytes('dealing'));
  const delivered = servableSeeds(committee, member, dealer, dealing.seeds);
  const verify = (overrides: {
    root?: Hex;
    hashes?: readonly Uint8Array[];
    seeds?: ReadonlyMap<number, Uint8Array>;
    proposal?: Hex;
    from?: number;
  }): void =>
    verifyDealing(
      committee,
      overrides.proposal ?? proposalId,
      overrides.from ?? dealer,
      overrides.root ?? dealing.root,
      overrides.hashes ?? dealing.hashes,
      overrides.seeds ?? delivered,
      member,
    );

  it('is complete for a member that has the seeds of the sets both are in', () => {
    expect([...delivered.keys()]).toEqual(setsContaining(committee, dealer, member));
    expect([...dealing.seeds.keys()]).toEqual(setsContaining(committee, dealer));
    expect(() => verify({})).not.toThrow();
  });

  it('is refused, naming the dealer, when anything is wrong', () => {
    const [first, second] = [...delivered.keys()];
    const foreign = [...dealing.seeds.keys()].find((number) => !delivered.has(number))!;
    const without = new Map(delivered);
    without.delete(first);
    const swapped = new Map(delivered)
      .set(first, delivered.get(second)!)
      .set(second, delivered.get(first)!);

    const rootFault = coded(SharingErrorCode.DEALING_ROOT_MISMATCH, [dealer]);
    expect(() => verify({ root: digest('other root') })).toThrow(rootFault);
    expect(() => verify({ hashes: dealing.hashes.slice(1) })).toThrow(rootFault);
    expect(() => verify({ hashes: [] })).toThrow(rootFault);
    expect(() => verify({ hashes: [...dealing.hashes, new Uint8Array(32)] })).toThrow(rootFault);
    expect(() => verify({ hashes: dealing.hashes.with(0, new Uint8Array(31)) })).toThrow(rootFault);
    expect(() => verify({ hashes: dealing.hashes.toReversed() })).toThrow(rootFault);

    expect(() => verify({ seeds: without })).toThrow(
      coded(SharingErrorCode.SEED_MISSING, [dealer]),
    );
    const mismatch = coded(SharingErrorCode.SEED_MISMATCH, [dealer]);
    expect(() => verify({ seeds: swapped })).toThrow(mismatch);
    expect(() => verify({ seeds: new Map(delivered).set(first, new Uint8Array(31)) })).toThrow(
      mismatch,
    );
    expect(() => verify({ proposal: digest('other proposal') })).toThrow(mismatch);
    expect(() =>
      verify({ seeds: new Map(delivered).set(foreign, dealing.seeds.get(foreign)!) }),
    ).toThrow(coded(SharingErrorCode.SEED_UNEXPECTED, [dealer]));
  });

  it('of one dealer is not one of another', () => {
    expect(() => verify({ from: 4, seeds: new Map() })).toThrow(
      coded(SharingErrorCode.SEED_MISSING, [4]),
    );
    expect(() => verify({ from: 4 })).toThrow(expect.objectContaining({ culprits: [4] }));
  });

  it('can be completed seed by seed from anybody', () => {
    const [first, second] = [...delivered.keys()];
    const check = (set: number, seed: Uint8Array, hashes = dealing.hashes): void =>
      verifySeed(committee, proposalId, dealer, hashes, set, seed);
    expect(() =>
      verifyDealingHashes(committee, dealer, dealing.root, dealing.hashes),
    ).not.toThrow();
    expect(() => check(first, delivered.get(first)!)).not.toThrow();
    expect(() => check(second, delivered.get(first)!)).toThrow(
      coded(SharingErrorCode.SEED_MISMATCH),
    );
    expect(() => check(first, new Uint8Array(33))).toThrow(coded(SharingErrorCode.LENGTH_INVALID));
    const notDealers = committee.sets.findIndex((members) => !members.includes(dealer));
    for (const set of [notDealers, -1, 21]) {
      expect(() => check(set, delivered.get(first)!)).toThrow(
        coded(SharingErrorCode.SEED_UNEXPECTED),
      );
    }
  });

  it('is served to a requester only as far as it is in the set', () => {
    for (let requester = 1; requester <= 7; requester++) {
      for (const number of servableSeeds(committee, requester, dealer, dealing.seeds).keys()) {
        expect(committee.sets[number]).toContain(requester);
        expect(committee.sets[number]).toContain(dealer);
      }
    }
    expect(servableSeeds(committee, 1, dealer, new Map())).toEqual(new Map());
    expect(() => servableSeeds(committee, 0, dealer, dealing.seeds)).toThrow(
      coded(SharingErrorCode.INDEX_OUT_OF_RANGE),
    );
  });
});

describe('digests and keys', () => {
  const committee = committeeOf(4);
  const roots = [digest('r1'), digest('r2'), digest('r3')];
  const seed = (): Uint8Array => new Uint8Array(32);

  it.each([[[1, 2]], [[1, 3, 2]], [[1, 1, 2]], [[]]])('refuse standing dealers %j', (standing) => {
    const refused = coded(SharingErrorCode.STANDING_INVALID);
    const someRoots = roots.slice(0, standing.length);
    expect(() => setupDigest(committee, proposalId, standing, someRoots)).toThrow(refused);
    expect(() => deriveSetKeys(committee, 1, digest('s'), standing, seed)).toThrow(refused);
  });

  it('refuse a dealer outside the committee, roots that do not match and missing seeds', () => {
    expect(() => setupDigest(committee, proposalId, [1, 2, 5], roots)).toThrow(
      coded(SharingErrorCode.INDEX_OUT_OF_RANGE),
    );
    expect(() => setupDigest(committee, proposalId, [1, 2, 3], roots.slice(1))).toThrow(
      coded(SharingErrorCode.STANDING_INVALID),
    );
    expect(() => deriveSetKeys(committee, 1, digest('s'), [1, 2, 3], () => undefined)).toThrow(
      coded(SharingErrorCode.SEED_MISSING),
    );
    expect(() =>
      deriveSetKeys(committee, 1, digest('s'), [1, 2, 3], () => new Uint8Array(16)),
    ).toThrow(coded(SharingErrorCode.LENGTH_INVALID));
  });

  it('depend on the proposal, who stands, the roots, the chain and the signers in order', () => {
    const digests = [
      setupDigest(committee, proposalId, [1, 2, 3], roots),
      setupDigest(committee, digest('p2'), [1, 2, 3], roots),
      setupDigest(committee, proposalId, [1, 2, 4], roots),
      setupDigest(committee, proposalId, [1, 2, 3], roots.toReversed()),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    const epoch = {
      chainId: 1n,
      epochManager: '0x00112233445566778899aabbccddeeff00112233',
      signers: [digests[0].slice(0, 42) as Hex, digests[1].slice(0, 42) as Hex],
    } as const;
    const ids = [
      epochId({ ...epoch, setupDigest: digests[0] }),
      epochId({ ...epoch, setupDigest: digests[1] }),
      epochId({ ...epoch, setupDigest: digests[0], chainId: 2n }),
      epochId({ ...epoch, setupDigest: digests[0], epochManager: epoch.signers[0] }),
      epochId({ ...epoch, setupDigest: digests[0], signers: epoch.signers.toReversed() }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each([4, 7, 10, 13])('a whole set-up of %i operators with t malicious', (n) => {
  const committee = committeeOf(n);
  const { t, quorum } = committee;
  const everyone = Array.from({ length: n }, (_, at) => at + 1);

  /**
   * What each operator holds after the dealers' messages, who stands, and what is left to pull.
   * `delivers` says whether a dealer gives a member its seeds at all.
   */
  function run(
    dealers: readonly number[],
    delivers: (dealer: number, member: number) => boolean,
  ): { standing: number[]; keys: Map<number, Map<number, Uint8Array>> } {
    const dealings = new Map<number, Dealing>(
      dealers.map((d) => [
        d,
        createDealing(committee, proposalId, d, reference.seededBytes(`${n}/${d}`)),
      ]),
    );
    const held = new Map(
      everyone.map((member) => [member, new Map<number, Map<number, Uint8Array>>()]),
    );
    const acknowledgements = new Map(dealers.map((d) => [d, 0]));
    for (const [dealer, dealing] of dealings) {
      for (const member of everyone) {
        if (!delivers(dealer, member)) continue;
        const seeds = servableSeeds(committee, member, dealer, dealing.seeds);
        verifyDealing(committee, proposalId, dealer, dealing.root, dealing.hashes, seeds, member);
        held.get(member)!.set(dealer, seeds);
        acknowledgements.set(dealer, acknowledgements.get(dealer)! + 1);
      }
    }
    const standing = dealers.filter((d) => acknowledgements.get(d)! >= quorum);
    const roots = standing.map((d) => dealings.get(d)!.root);
    const digestOfSetup = setupDigest(committee, proposalId, standing, roots);

    const keys = new Map<number, Map<number, Uint8Array>>();
    for (const member of everyone.filter((i) => i > t)) {
      const mine = new Map(held.get(member));
      for (const dealer of standing) {
        if (mine.has(dealer)) continue;
        // Pull what is missing from honest members that acknowledged, each within its rights.
        const { hashes, root } = dealings.get(dealer)!;
        verifyDealingHashes(committee, dealer, root, hashes);
        const pulled = new Map<number, Uint8Array>();
        for (const helper of everyone.filter((i) => i > t && i !== member)) {
          const seeds = held.get(helper)!.get(dealer) ?? new Map<number, Uint8Array>();
          for (const [set, seed] of servableSeeds(committee, member, dealer, seeds)) {
            verifySeed(committee, proposalId, dealer, hashes, set, seed);
            pulled.set(set, seed);
          }
        }
        mine.set(dealer, pulled);
      }
      keys.set(
        member,
        deriveSetKeys(committee, member, digestOfSetup, standing, (dealer, set) =>
          mine.get(dealer)!.get(set),
        ),
      );
    }
    return { standing, keys };
  }

  /** All honest operators hold equal keys of every set, and the keys are usable. */
  function expectAgreement(keys: Map<number, Map<number, Uint8Array>>): void {
    const known = new Map<number, string>();
    for (const own of keys.values()) {
      for (const [number, key] of own) {
        const text = Buffer.from(key).toString('hex');
        expect(known.get(number) ?? text).toBe(text);
        known.set(number, text);
      }
    }
    expect(known.size).toBe(committee.sets.length);
    expect(new Set(known.values()).size).toBe(committee.sets.length);
    for (const [index, own] of keys) {
      expect(() => new SharedRandomness(committee, index, own)).not.toThrow();
    }
  }

  it('ends with equal keys when t are silent', () => {
    const honest = everyone.filter((i) => i > t);
    const { standing, keys } = run(honest, (_, member) => member > t);
    expect(standing).toEqual(honest);
    expectAgreement(keys);
  });

  it('ends with equal keys when t deliver to as few as let them stand', () => {
    // Malicious 1..t acknowledge each other and serve nobody; t+1 honest operators get seeds.
    const { standing, keys } = run(
      everyone,
      (dealer, member) => dealer > t || member <= t || member > n - quorum + t,
    );
    expect(standing).toEqual(everyone);
    expectAgreement(keys);
  });

  it('leaves a dealer out that delivers to fewer', () => {
    const { standing, keys } = run(
      everyone,
      (dealer, member) => dealer > t || member <= t || member > n - t,
    );
    expect(standing).toEqual(everyone.filter((i) => i > t));
    expectAgreement(keys);
  });
});
