import { BaseError, ContractFunctionRevertedError, zeroHash, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { parameterSets } from '../../workers/ring/parameters.ts';
import { committeeOf, type Committee } from '../../workers/sharing/committee.ts';
import { SharingError, SharingErrorCode } from '../../workers/sharing/errors.ts';
import { checkLateShare, openRobustly, type OpenedValue } from '../../workers/sharing/opening.ts';
import { littleEndian, seededBytes } from '../workers/sharing/reference.ts';
import { activateEpoch } from './support/epoch.ts';
import {
  deal,
  openingOf,
  primeAt,
  shareProof,
  signShare,
  type Share,
  type TestOpening,
} from './support/evidence.ts';
import { connectChain, deployGateway, type DeployedGateway } from './support/gateway.ts';
import { recordOf } from './support/keys.ts';

const sizes = [4, 7, 10, 13];
const openingsPerSize = 64;
const verdictsPerOpening = 8;

type Verdict = 'wrong' | 'right' | 'no evidence';

/** What the contract's errors say about evidence whose form is right. */
const verdictOf: Record<string, Verdict> = {
  SlashingManagerShareRight: 'right',
  SlashingManagerAccusersDisagree: 'no evidence',
  SlashingManagerAccuserValue: 'no evidence',
};

/**
 * The contract's verdict about a residue is that of the decoder: 2048 random ones, with up to t wrong
 * shares, of all primes of the project's sets. Roots, paths, ids and signatures are the workers'.
 */
describe('evidence and the decoder', () => {
  let gateway: DeployedGateway;
  const epochs = new Map<number, { epochId: Hex; setupDigest: Hex }>();

  beforeAll(async () => {
    const chain = await connectChain();
    gateway = await deployGateway(chain);
    for (const set of parameterSets)
      await gateway.keyManager.write.addParameterSet([recordOf(set)]);
    for (const n of sizes) {
      const { epochId } = await activateEpoch(chain, gateway, n, zeroHash);
      const { setupDigest } = await gateway.epochManager.read.epoch([epochId]);
      epochs.set(n, { epochId, setupDigest });
    }
  });

  test.each(sizes)('agree on a committee of %i', async (n) => {
    const committee = committeeOf(n);
    const random = seededBytes(`evidence of ${n}`);
    const below = (bound: number) => Number(littleEndian(random(6)) % BigInt(bound));
    const seen: Record<Verdict, number> = { wrong: 0, right: 0, 'no evidence': 0 };
    const { epochId, setupDigest } = epochs.get(n)!;

    for (let k = 0; k < openingsPerSize; k++) {
      const set = parameterSets[below(parameterSets.length)];
      const opening = openingOf(set, setupDigest, {
        limbs: 1 + below(set.primes.length),
        ...{ width: 1 + below(40), polynomials: 1 + below(2), name: `item ${k}` },
      });
      const shares = deal(opening, n, random);
      const liars = spoil(opening, shares, committee, below, random);
      const signatures = new Map<number, Hex>();
      for (const [index, share] of shares) {
        const { deployment } = gateway;
        signatures.set(index, await signShare(deployment, epochId, opening, index, share));
      }

      // The decoder, too, names exactly those whose share was changed.
      const opened = openRobustly(committee, shapeOf(opening), shares);
      expect(opened.faulty).toEqual([...liars.keys()].sort((a, b) => a - b));

      for (let v = 0; v < verdictsPerOpening; v++) {
        const indices = shuffled([...shares.keys()], below);
        // Half of the cases are what a watchdog would submit: a liar, at its place, by honest ones. In a
        // quarter the liar may be among the accusers, and in the rest everything is at random.
        const [liar, places] = [...liars][below(Math.max(1, liars.size))] ?? [];
        const earnest = v % 2 === 0 && liar !== undefined;
        const accused = earnest ? liar : indices[0];
        const position =
          places !== undefined && v % 4 !== 3
            ? places[below(places.length)]
            : below(shares.get(accused)!.length);
        const others = (earnest ? shuffled(opened.agreeing, below) : indices).filter(
          (index) => index !== accused,
        );
        const accusers = others.slice(0, committee.quorum).sort((a, b) => a - b);

        const expected = decide(committee, opening, shares, accusers, accused, position);
        const proof = (index: number) =>
          shareProof(shares.get(index)!, index, signatures.get(index)!, position);
        const actual = await judge(
          ...[epochId, opening.preimage, BigInt(position), accusers.map(proof), proof(accused)],
        );
        expect({ k, v, verdict: actual }).toEqual({ k, v, verdict: expected });
        // Nobody is judged by what others' shares are: honest operators are never wrong.
        if (actual === 'wrong') expect([...liars.keys()]).toContain(accused);
        if (earnest) expect(actual).toBe('wrong');
        seen[actual]++;
      }
    }
    // Each verdict is frequent, so none of them is compared in name only.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  type Evidence = Parameters<typeof gateway.slashingManager.simulate.proveWrongShare>[0];

  async function judge(
    ...[epochId, preimage, position, accusers, accused]: [
      Evidence[0],
      Evidence[1],
      Evidence[2],
      Evidence[3],
      Evidence[4],
    ]
  ): Promise<Verdict> {
    const beneficiary = '0x0000000000000000000000000000000000000077';
    try {
      await gateway.slashingManager.simulate.proveWrongShare([
        ...([epochId, preimage, position, accusers, accused, beneficiary] as const),
      ]);
      return 'wrong';
    } catch (error) {
      const reason = error instanceof BaseError && error.walk(isRevert);
      const name = reason instanceof ContractFunctionRevertedError && reason.data?.errorName;
      const verdict = name ? verdictOf[name] : undefined;
      if (verdict === undefined) throw error;
      return verdict;
    }
  }
});

const isRevert = (error: unknown) => error instanceof ContractFunctionRevertedError;

const shapeOf = ({ primes, preimage }: TestOpening) => ({
  ...{ primes, width: preimage.width, polynomials: preimage.polynomials },
});

/**
 * Changes the shares of up to t operators at some places each; the places by operator. Half of the
 * changed values are at or above their prime.
 */
function spoil(
  opening: TestOpening,
  shares: Map<number, Share>,
  { n, t }: Committee,
  below: (bound: number) => number,
  random: (length: number) => Uint8Array,
): Map<number, number[]> {
  const liars = new Map<number, number[]>();
  for (const index of shuffled([...shares.keys()], below).slice(0, below(t + 1))) {
    expect(index).toBeLessThanOrEqual(n);
    const share = shares.get(index)!;
    const places = new Set(Array.from({ length: 1 + below(3) }, () => below(share.length)));
    for (const place of places) {
      const prime = primeAt(opening, place);
      const shift = 1n + (littleEndian(random(8)) % (prime - 1n));
      const forms = [
        (share[place] + shift) % prime,
        // Right modulo the prime, and a wrong value for that.
        share[place] + prime,
        2n ** 64n - 1n - (littleEndian(random(4)) % 1000n),
        prime,
      ];
      share[place] = forms[below(2) * (1 + below(3))]!;
    }
    liars.set(index, [...places]);
  }
  return liars;
}

/** What workers/sharing/opening.ts says about the accused's residue, given those of the accusers. */
function decide(
  committee: Committee,
  opening: TestOpening,
  shares: ReadonlyMap<number, Share>,
  accusers: readonly number[],
  accused: number,
  position: number,
): Verdict {
  const shape = { primes: [primeAt(opening, position)], width: 1, polynomials: 1 };
  const residue = (index: number) => BigUint64Array.of(shares.get(index)![position]);
  const residues = new Map(accusers.map((index) => [index, residue(index)]));
  let opened: OpenedValue;
  try {
    opened = openRobustly(committee, shape, residues);
  } catch (error) {
    if (error instanceof SharingError && error.code === SharingErrorCode.TOO_FEW_AGREEING)
      return 'no evidence';
    throw error;
  }
  expect(opened.agreeing).toEqual(accusers);
  const right = checkLateShare(committee, shape, residues, accused, residue(accused));
  return right ? 'right' : 'wrong';
}

function shuffled<T>(items: readonly T[], below: (bound: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(below(rest.length), 1)[0]);
}
