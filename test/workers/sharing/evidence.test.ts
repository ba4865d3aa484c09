import { describe, expect, it } from 'vitest';
import { hexToBytes, type Hex } from 'viem';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { chunkCount, commitShare, verifyShareChunk } from '../../../workers/sharing/commitment.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { proveWrongShare, type SignedShare } from '../../../workers/sharing/evidence.ts';
import { openRobustly, shareLength } from '../../../workers/sharing/opening.ts';
import { littleEndian, seededBytes } from './reference.ts';

const shape = { primes: [2053n, 4099n, 1048583n], width: 50, polynomials: 2 };
/** Numbers below a limit, the same each time. */
function randomSource(seed: string): (below: bigint) => bigint {
  const bytes = seededBytes(seed);
  return (below) => littleEndian(bytes(16)) % below;
}

const signatureOf = (index: number): Hex => `0x${index.toString(16).padStart(130, '0')}`;

/** Shares of one random polynomial per residue. */
function sharesOf(n: number, random: (below: bigint) => bigint): Map<number, RnsVector> {
  const { t } = committeeOf(n);
  const shares = new Map(
    Array.from({ length: n }, (_, at) => [at + 1, new BigUint64Array(shareLength(shape))]),
  );
  for (let place = 0; place < shareLength(shape); place++) {
    const prime = primeAt(place);
    const coefficients = Array.from({ length: t + 1 }, () => random(prime));
    for (const [index, share] of shares)
      share[place] = coefficients.reduceRight((sum, c) => (sum * BigInt(index) + c) % prime, 0n);
  }
  return shares;
}

const primeAt = (place: number): bigint =>
  shape.primes[Math.floor(place / shape.width) % shape.primes.length];

const signed = (shares: ReadonlyMap<number, RnsVector>): Map<number, SignedShare> =>
  new Map(
    [...shares].map(([index, residues]) => [index, { residues, signature: signatureOf(index) }]),
  );

describe.each([4, 7, 10, 13])('shares of %d', (n) => {
  const committee = committeeOf(n);

  it('that are wrong at any residue are proven wrong there, by chunks of the signed roots', () => {
    const random = randomSource(`wrong of ${n}`);
    for (let round = 0; round < 20; round++) {
      const shares = sharesOf(n, random);
      const accused = Number(random(BigInt(n))) + 1;
      const place = Number(random(BigInt(shareLength(shape))));
      const wrong = shares.get(accused)!;
      const right = wrong[place];
      // Up to twice the prime: a residue that is not canonical is wrong, whatever it is equal to.
      wrong[place] = round === 0 ? right + primeAt(place) : random(2n * primeAt(place));
      if (wrong[place] === right) wrong[place] += 1n;
      const { agreeing, faulty } = openRobustly(committee, shape, shares);
      expect(faulty).toEqual([accused]);
      const proof = proveWrongShare(committee, shape, signed(shares), agreeing, accused)!;
      expect(proof.position).toBe(place);
      const indices = proof.accusers.map(({ index }) => index);
      expect(indices).toEqual(
        [...shares.keys()].filter((index) => index !== accused).slice(0, committee.quorum),
      );
      for (const { index, signature, chunk, path } of [...proof.accusers, proof.accused]) {
        expect(signature).toBe(signatureOf(index));
        const bytes = hexToBytes(chunk);
        const siblings = path.map((sibling) => hexToBytes(sibling));
        const number = Math.floor(place / 64);
        const root = commitShare(shares.get(index)!);
        expect(siblings).toHaveLength(Math.ceil(Math.log2(chunkCount(shareLength(shape)))));
        expect(verifyShareChunk(root, shareLength(shape), number, bytes, siblings)).toBe(true);
        const residue = new DataView(bytes.buffer).getBigUint64(8 * (place % 64), true);
        expect(residue).toBe(shares.get(index)![place]);
      }
    }
  });

  it('that are right are never proven anything, whoever accuses', () => {
    const random = randomSource(`right of ${n}`);
    const shares = sharesOf(n, random);
    for (let round = 0; round < 20; round++) {
      const order = [...shares.keys()].sort(() => (random(2n) === 0n ? 1 : -1));
      for (const accused of order)
        expect(proveWrongShare(committee, shape, signed(shares), order, accused)).toBeUndefined();
    }
  });
});

describe('what is no evidence', () => {
  const committee = committeeOf(4);
  const shares = sharesOf(4, randomSource('no evidence'));
  const wrong = shares.get(2)!;
  wrong[7] = (wrong[7] + 1n) % primeAt(7);

  it('is a share of another length: the contract takes the height of the tree from the shape', () => {
    const shorter = new Map(shares).set(2, wrong.slice(0, -1));
    expect(proveWrongShare(committee, shape, signed(shorter), [1, 3, 4], 2)).toBeUndefined();
  });

  it('is what fewer than 2t+1 others have', () => {
    expect(proveWrongShare(committee, shape, signed(shares), [1, 3], 2)).toBeUndefined();
    expect(proveWrongShare(committee, shape, signed(shares), [1, 2, 3], 2)).toBeUndefined();
    expect(proveWrongShare(committee, shape, signed(shares), [1, 3, 4], 2)?.position).toBe(7);
  });

  it('is a share that is not there', () => {
    const without = new Map(shares);
    without.delete(2);
    expect(proveWrongShare(committee, shape, signed(without), [1, 3, 4], 2)).toBeUndefined();
  });
});
