import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Hex } from 'viem';
import { Basis } from '../../../workers/ring/basis.ts';
import { uniformPolynomial } from '../../../workers/ring/uniform.ts';
import { committeeOf, setsContaining } from '../../../workers/sharing/committee.ts';
import type { Committee } from '../../../workers/sharing/committee.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { Operation, Role, itemId, itemPrefix } from '../../../workers/sharing/ids.ts';
import { SharedRandomness } from '../../../workers/sharing/prss.ts';
import type { Distribution, SharedItem } from '../../../workers/sharing/prss.ts';
import vectors from '../../vectors/sharing.json' with { type: 'json' };
import * as reference from './reference.ts';

const primes = [8796092858369n, 17592186028033n, 1152921504606830593n];
const sizes = [4, 7, 10, 13];
const distributions: Distribution[] = [
  { kind: 'ternary' },
  { kind: 'binomial' },
  { kind: 'uniform', bits: 20 },
  { kind: 'uniform', bits: 99 },
];

const digest = (text: string): Hex => reference.toHex(reference.sha256(Buffer.from(text)));

function setKeyOf(committee: Committee, number: number): Uint8Array {
  return reference.sha256(Buffer.from(`set key ${committee.n}/${number}`));
}

function randomnessOf(committee: Committee, index: number): SharedRandomness {
  const numbers = setsContaining(committee, index);
  const keys = new Map(numbers.map((number) => [number, setKeyOf(committee, number)]));
  return new SharedRandomness(committee, index, keys);
}

const item = (overrides: Partial<SharedItem> = {}): SharedItem => ({
  primes,
  degree: 64,
  itemId: digest('item'),
  distribution: { kind: 'ternary' },
  ...overrides,
});

describe('pseudorandom secret sharing', () => {
  it.each(vectors.prss)('reproduces the share of vector n = $n, $distribution', (vector) => {
    const share = randomnessOf(committeeOf(vector.n), vector.index).share({
      primes: vector.primes.map(BigInt),
      degree: 4096,
      itemId: vector.itemId as Hex,
      distribution: vector.distribution as Distribution,
      positions: Uint32Array.from(vector.positions),
    });
    expect([...share].map(String)).toEqual(vector.share);
  });

  it.each(sizes)('shares Σ r_A on polynomials of degree t, n = %i', (n) => {
    const committee = committeeOf(n);
    const operators = Array.from({ length: n }, (_, at) => randomnessOf(committee, at + 1));
    const degree = 4;
    for (const distribution of distributions) {
      const shares = operators.map((o) => o.share(item({ distribution, degree })));
      const all = [...Array(degree).keys()];
      const id = reference.hexBytes(digest('item'));
      const summands = committee.sets.map((_, number) =>
        reference.setPolynomial(setKeyOf(committee, number), id, distribution, all),
      );
      primes.forEach((prime, limb) => {
        for (const position of all) {
          const place = limb * degree + position;
          const sum = summands.reduce((total, r) => total + r[position], 0n);
          const points = shares.map((share, at) => [at + 1, share[place]] as const);
          const basis = points.slice(n - committee.t - 1);
          expect(reference.interpolate(basis, 0, prime)).toBe(((sum % prime) + prime) % prime);
          for (const [index, value] of points) {
            expect(reference.interpolate(basis, index, prime)).toBe(value);
          }
        }
      });
    }
  });

  it('reduces sums of 495 summands wider than the primes correctly', () => {
    const committee = committeeOf(13);
    const operator = randomnessOf(committee, 13);
    const distribution = { kind: 'uniform', bits: 99 } as const;
    const keys = new Map(
      setsContaining(committee, 13).map((number) => [number, setKeyOf(committee, number)]),
    );
    const positions = [...Array(8).keys()];
    const share = operator.share(item({ distribution }));
    const expected = reference.share(13, 13, keys, {
      primes,
      itemId: reference.hexBytes(digest('item')),
      distribution,
      positions,
    });
    primes.forEach((_, limb) => {
      const ours = share.slice(limb * 64, limb * 64 + 8);
      expect([...ours]).toEqual(expected.slice(limb * 8, (limb + 1) * 8));
    });
  });

  it('has the same noise at a position whatever else is asked for', () => {
    const operator = randomnessOf(committeeOf(7), 2);
    for (const distribution of distributions) {
      const whole = operator.share(item({ distribution }));
      for (const list of [[0], [0, 1], [1, 0], [63], [5, 5, 62, 0, 31]]) {
        const some = operator.share(item({ distribution, positions: Uint32Array.from(list) }));
        const expected = primes.flatMap((_, limb) => list.map((p) => whole[limb * 64 + p]));
        expect([...some]).toEqual(expected);
      }
    }
  });

  it('gives the same share again, and the same residues modulo fewer primes', () => {
    const operator = randomnessOf(committeeOf(4), 1);
    const share = operator.share(item());
    expect(operator.share(item())).toEqual(share);
    expect(randomnessOf(committeeOf(4), 1).share(item())).toEqual(share);
    expect(operator.share(item({ primes: primes.slice(1) }))).toEqual(share.slice(64));
  });

  it('keeps no share linked to the caller’s keys', () => {
    const committee = committeeOf(4);
    const keys = new Map(
      setsContaining(committee, 1).map((number) => [number, setKeyOf(committee, number)]),
    );
    const operator = new SharedRandomness(committee, 1, keys);
    const before = operator.share(item());
    for (const key of keys.values()) key.fill(0);
    expect(operator.share(item())).toEqual(before);
  });
});

describe('the id rule', () => {
  const base = {
    chainId: 1n,
    gateway: '0x00112233445566778899aabbccddeeff00112233',
    epochId: digest('epoch'),
    operation: Operation.publicDecryption,
    content: digest('ciphertext'),
  } as const;
  const prefix = itemPrefix(base);
  const ids: readonly (readonly [string, Hex])[] = [
    ['the item itself', itemId(prefix, { role: Role.s })],
    ['a digit', itemId(prefix, { role: Role.s, digit: 1 })],
    ['another digit', itemId(prefix, { role: Role.s, digit: 2 })],
    ['a Galois element', itemId(prefix, { role: Role.s, galoisElement: 1 })],
    ['another Galois element', itemId(prefix, { role: Role.s, galoisElement: 3 })],
    ['a polynomial', itemId(prefix, { role: Role.s, polynomial: 1 })],
    ['role e', itemId(prefix, { role: Role.e })],
    ['role a', itemId(prefix, { role: Role.a })],
    ['role E', itemId(prefix, { role: Role.flooding })],
    [
      'another ciphertext',
      itemId(itemPrefix({ ...base, content: digest('other') }), { role: Role.s }),
    ],
    ['another epoch', itemId(itemPrefix({ ...base, epochId: digest('e2') }), { role: Role.s })],
    [
      'another operation',
      itemId(itemPrefix({ ...base, operation: Operation.keyGeneration }), { role: Role.s }),
    ],
  ];

  it('gives every one of them its own id, share and public polynomial', () => {
    const operator = randomnessOf(committeeOf(4), 3);
    const basis = new Basis(64, primes.slice(0, 2));
    const distribution = { kind: 'uniform', bits: 40 } as const;
    const shares = ids.map(([, id]) => operator.share(item({ itemId: id, distribution })).join());
    const publics = ids.map(([, id]) => uniformPolynomial(basis, reference.hexBytes(id)).join());
    expect(new Set(ids.map(([, id]) => id)).size).toBe(ids.length);
    expect(new Set(shares).size).toBe(ids.length);
    expect(new Set(publics).size).toBe(ids.length);
  });

  it('gives every set its own stream', () => {
    const committee = committeeOf(13);
    const id = reference.hexBytes(digest('item'));
    const values = committee.sets.map((_, number) =>
      reference.setPolynomial(setKeyOf(committee, number), id, { kind: 'uniform', bits: 99 }, [0]),
    );
    expect(new Set(values.flat()).size).toBe(715);
  });
});

describe('SharedRandomness', () => {
  const committee = committeeOf(4);
  const keys = new Map(
    setsContaining(committee, 1).map((number) => [number, setKeyOf(committee, number)]),
  );

  it('refuses keys that are not exactly those of its sets', () => {
    const refused = expect.objectContaining({ code: SharingErrorCode.SET_KEYS_INVALID }) as Error;
    const number = setsContaining(committee, 1)[0];
    const missing = new Map(keys);
    missing.delete(number);
    const short = new Map(keys).set(number, new Uint8Array(31));
    const foreign = new Map(keys).set(3, new Uint8Array(32));
    for (const wrong of [missing, short, foreign, new Map<number, Uint8Array>()]) {
      expect(() => new SharedRandomness(committee, 1, wrong)).toThrow(refused);
    }
    expect(() => new SharedRandomness(committee, 0, keys)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.INDEX_OUT_OF_RANGE }),
    );
  });

  it.each([[[]], [[64]], [[0, 0xffff_ffff]]])('refuses positions %j of 64', (positions) => {
    const operator = new SharedRandomness(committee, 1, keys);
    expect(() => operator.share(item({ positions: Uint32Array.from(positions) }))).toThrow(
      expect.objectContaining({ code: SharingErrorCode.POSITIONS_INVALID }),
    );
  });

  it.each(['0x', '0x1234', `0x${'00'.repeat(33)}`, `0x${'0g'.repeat(32)}`])(
    'refuses item id %s',
    (id) => {
      const operator = new SharedRandomness(committee, 1, keys);
      expect(() => operator.share(item({ itemId: id as Hex }))).toThrow(
        expect.objectContaining({ code: SharingErrorCode.LENGTH_INVALID }),
      );
    },
  );

  it('shares nothing once erased and shows nothing to an inspector', () => {
    const operator = new SharedRandomness(committee, 1, keys);
    expect(inspect(operator, { depth: 9, showHidden: true })).not.toContain('Buffer');
    operator.erase();
    expect(() => operator.share(item())).toThrow(
      expect.objectContaining({ code: SharingErrorCode.SET_KEYS_ERASED }),
    );
  });
});
