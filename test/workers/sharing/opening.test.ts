import { describe, expect, it } from 'vitest';
import { committeeOf, subsets } from '../../../workers/sharing/committee.ts';
import type { Committee } from '../../../workers/sharing/committee.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { checkLateShare, openRobustly, shareLength } from '../../../workers/sharing/opening.ts';
import type { OpeningShape } from '../../../workers/sharing/opening.ts';
import { interpolate, littleEndian, seededBytes, seededVector } from './reference.ts';

type Vector = BigUint64Array<ArrayBuffer>;
type Bytes = (length: number) => Uint8Array;

const sizes = [4, 7, 10, 13];
const shape: OpeningShape = {
  primes: [8796092858369n, 17592186028033n, 1152921504606830593n],
  width: 3,
  polynomials: 2,
};

const below = (bytes: Bytes, bound: number): number =>
  Number(littleEndian(bytes(6)) % BigInt(bound));

function primeAt(place: number): bigint {
  return shape.primes[Math.floor(place / shape.width) % shape.primes.length];
}

/** A random polynomial of degree t per residue: the value and the shares of 1..n. */
function deal(committee: Committee, bytes: Bytes): { value: Vector; shares: Map<number, Vector> } {
  const allPrimes = Array.from({ length: shape.polynomials }, () => shape.primes).flat();
  const coefficients = Array.from({ length: committee.t + 1 }, () =>
    seededVector(allPrimes, shape.width, bytes),
  );
  const at = (x: number): Vector =>
    BigUint64Array.from({ length: shareLength(shape) }, (_, place) =>
      coefficients.reduceRight((sum, c) => (sum * BigInt(x) + c[place]) % primeAt(place), 0n),
    );
  const shares = new Map(Array.from({ length: committee.n }, (_, i) => [i + 1, at(i + 1)]));
  return { value: at(0), shares };
}

/** What a faulty operator may send instead of its share. */
const faults: readonly ((share: Vector, bytes: Bytes) => Vector)[] = [
  // Garbage.
  (share, bytes) => {
    return share.map((_, place) => littleEndian(bytes(16)) % primeAt(place));
  },
  // One coefficient moved by one.
  (share, bytes) => {
    const place = below(bytes, share.length);
    return share.with(place, (share[place] + 1n) % primeAt(place));
  },
  // The last residue moved far.
  (share) => share.with(-1, (share.at(-1)! + 12345n) % primeAt(share.length - 1)),
  // Too short, too long, empty.
  (share) => share.slice(1),
  (share) => BigUint64Array.of(...share, 0n),
  () => new BigUint64Array(0),
  // The right residue in another representation.
  (share, bytes) => {
    const place = below(bytes, share.length);
    return share.with(place, share[place] + primeAt(place));
  },
  (share) => share.with(0, 2n ** 64n - 1n),
  () => new BigUint64Array(shareLength(shape)),
];

/** Shares of another polynomial: faulty operators that agree with each other. */
function collude(
  committee: Committee,
  shares: Map<number, Vector>,
  culprits: readonly number[],
  bytes: Bytes,
  places: readonly number[],
): void {
  const other = deal(committee, bytes).shares;
  for (const index of culprits) {
    const share = shares.get(index)!.slice();
    for (const place of places) share[place] = other.get(index)![place];
    shares.set(index, share);
  }
}

function pick(committee: Committee, count: number, bytes: Bytes): number[] {
  const indices = Array.from({ length: committee.n }, (_, at) => at + 1);
  return Array.from({ length: count }, () => indices.splice(below(bytes, indices.length), 1)[0]);
}

const ascending = (indices: Iterable<number>): number[] => [...indices].sort((a, b) => a - b);

/**
 * Decoding by brute force over whole vectors: the 2t+1 or more operators whose shares all lie on
 * the polynomials through some t+1 of them; undefined if there are none.
 */
function bruteForce(
  committee: Committee,
  shares: ReadonlyMap<number, Vector>,
): { value: bigint[]; agreeing: number[] } | undefined {
  const usable = [...shares].filter(
    ([, share]) =>
      share.length === shareLength(shape) && share.every((r, place) => r < primeAt(place)),
  );
  for (const basis of subsets(usable, committee.t + 1)) {
    const predict = (x: number, place: number): bigint =>
      interpolate(
        basis.map(([index, share]) => [index, share[place]] as const),
        x,
        primeAt(place),
      );
    const agreeing = usable.filter(([index, share]) =>
      share.every((r, place) => predict(index, place) === r),
    );
    if (agreeing.length >= committee.quorum) {
      const value = Array.from({ length: shareLength(shape) }, (_, place) => predict(0, place));
      return { value, agreeing: ascending(agreeing.map(([index]) => index)) };
    }
  }
  return undefined;
}

const tooFew = expect.objectContaining({
  code: SharingErrorCode.TOO_FEW_AGREEING,
  culprits: [],
}) as Error;

describe.each(sizes)('openRobustly, n = %i', (n) => {
  const committee = committeeOf(n);
  const { t, quorum } = committee;

  it('opens from any number of honest shares from 2t+1 on, in any order', () => {
    const bytes = seededBytes(`honest ${n}`);
    const { value, shares } = deal(committee, bytes);
    for (let count = quorum; count <= n; count++) {
      const order = pick(committee, count, bytes);
      const received = new Map(order.map((index) => [index, shares.get(index)!]));
      const opened = openRobustly(committee, shape, received);
      expect(opened).toEqual({ value, agreeing: ascending(order), faulty: [] });
    }
  });

  it('names nobody and opens nothing with fewer than 2t+1 shares', () => {
    const { shares } = deal(committee, seededBytes(`few ${n}`));
    for (let count = 0; count < quorum; count++) {
      const received = new Map([...shares].slice(0, count));
      expect(() => openRobustly(committee, shape, received)).toThrow(tooFew);
    }
  });

  it('finds every faulty operator, whatever up to t of them send', () => {
    const bytes = seededBytes(`faults ${n}`);
    for (let round = 0; round < 60; round++) {
      const { value, shares } = deal(committee, bytes);
      const culprits = pick(committee, 1 + (round % t), bytes);
      culprits.forEach((index, k) => {
        const fault = faults[(round + k) % faults.length];
        shares.set(index, fault(shares.get(index)!, bytes));
      });
      const opened = openRobustly(committee, shape, shares);
      expect(opened.value).toEqual(value);
      expect(opened.faulty).toEqual(ascending(culprits));
    }
  });

  it('is not confused by faulty operators that agree with each other, or differ in places', () => {
    const bytes = seededBytes(`colluders ${n}`);
    for (let round = 0; round < 20; round++) {
      const { value, shares } = deal(committee, bytes);
      const culprits = pick(committee, t, bytes);
      if (round % 2 === 0) {
        const all = [...Array(shareLength(shape)).keys()];
        collude(committee, shares, culprits, bytes, round % 4 === 0 ? all : [round % all.length]);
      } else {
        // Each at a place of its own: every search convicts one only.
        culprits.forEach((index, k) => collude(committee, shares, [index], bytes, [3 * k + 1]));
      }
      const opened = openRobustly(committee, shape, shares);
      expect(opened.value).toEqual(value);
      expect(opened.faulty).toEqual(ascending(culprits));
    }
  });

  it('opens as soon as 2t+1 agree among r < n shares and not before', () => {
    const bytes = seededBytes(`arrivals ${n}`);
    for (let round = 0; round < 12; round++) {
      const { value, shares } = deal(committee, bytes);
      const culprits = pick(committee, t, bytes);
      collude(committee, shares, culprits, bytes, round % 2 ? [4] : [0, 5, 9]);
      const received = new Map<number, Vector>();
      let honest = 0;
      for (const index of pick(committee, n, bytes)) {
        received.set(index, shares.get(index)!);
        if (!culprits.includes(index)) honest++;
        if (honest < quorum) {
          expect(() => openRobustly(committee, shape, received)).toThrow(tooFew);
        } else {
          const opened = openRobustly(committee, shape, received);
          expect(opened.value).toEqual(value);
          expect(opened.faulty).toEqual(ascending(culprits.filter((c) => received.has(c))));
        }
      }
    }
  });

  it('never opens what 2t+1 do not support when more than t are faulty', () => {
    const bytes = seededBytes(`majority ${n}`);
    for (let faulty = t + 1; faulty <= n; faulty++) {
      const { shares } = deal(committee, bytes);
      const culprits = pick(committee, faulty, bytes);
      // No two alike, and one residue each: at any single residue nearly all agree.
      culprits.forEach((index, k) => {
        const place = k % shareLength(shape);
        const share = shares.get(index)!;
        shares.set(index, share.with(place, (share[place] + 1n) % primeAt(place)));
      });
      expect(() => openRobustly(committee, shape, shares)).toThrow(tooFew);
    }
  });

  it('decides as brute force does', () => {
    const bytes = seededBytes(`differential ${n}`);
    for (let round = 0; round < (n < 10 ? 20 : 5); round++) {
      const { shares } = deal(committee, bytes);
      const culprits = pick(committee, below(bytes, t + 2), bytes);
      if (round % 3 === 0) collude(committee, shares, culprits, bytes, [1, 2]);
      else {
        for (const index of culprits) {
          const fault = faults[below(bytes, faults.length)];
          shares.set(index, fault(shares.get(index)!, bytes));
        }
      }
      const order = pick(committee, quorum + below(bytes, t + 1), bytes);
      const received = new Map(order.map((index) => [index, shares.get(index)!]));
      const expected = bruteForce(committee, received);
      if (expected === undefined) {
        expect(() => openRobustly(committee, shape, received)).toThrow(tooFew);
        continue;
      }
      const opened = openRobustly(committee, shape, received);
      expect([...opened.value]).toEqual(expected.value);
      expect(opened.agreeing).toEqual(expected.agreeing);
      expect(ascending([...opened.agreeing, ...opened.faulty])).toEqual(ascending(order));
    }
  });

  it('judges a late share by any t+1 that agreed', () => {
    const bytes = seededBytes(`late ${n}`);
    const { shares } = deal(committee, bytes);
    for (const late of [1, n]) {
      const others = pick(committee, n, bytes).filter((index) => index !== late);
      const agreeing = new Map(others.slice(0, t + 1).map((i) => [i, shares.get(i)!]));
      const share = shares.get(late)!;
      expect(checkLateShare(committee, shape, agreeing, late, share)).toBe(true);
      for (const fault of faults) {
        const wrong = fault(share, bytes);
        expect(checkLateShare(committee, shape, agreeing, late, wrong)).toBe(false);
      }
    }
  });
});

describe('checks of openings', () => {
  const committee = committeeOf(4);
  const { shares } = deal(committee, seededBytes('checks'));

  it('does not change the shares it is given', () => {
    const copies = new Map([...shares].map(([index, share]) => [index, share.slice()]));
    openRobustly(committee, shape, shares);
    expect(shares).toEqual(copies);
  });

  it('refuses operators outside the committee', () => {
    const refused = expect.objectContaining({ code: SharingErrorCode.INDEX_OUT_OF_RANGE }) as Error;
    for (const index of [0, 5, 1.5]) {
      const received = new Map(shares).set(index, shares.get(1)!);
      expect(() => openRobustly(committee, shape, received)).toThrow(refused);
      expect(() => checkLateShare(committee, shape, shares, index, shares.get(1)!)).toThrow(
        refused,
      );
    }
  });

  it('refuses to judge by fewer than t+1 shares', () => {
    const one = new Map([[1, shares.get(1)!]]);
    expect(() => checkLateShare(committee, shape, one, 2, shares.get(2)!)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.POINTS_INVALID }),
    );
  });

  it.each([
    { ...shape, width: 0 },
    { ...shape, polynomials: 0 },
    { ...shape, primes: [] },
    { ...shape, width: 1.5 },
  ])('refuses a shape without residues or with half of one', (empty) => {
    expect(() => openRobustly(committee, empty, shares)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.SHAPE_INVALID }),
    );
  });
});
