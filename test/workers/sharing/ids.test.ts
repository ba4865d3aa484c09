import { describe, expect, it } from 'vitest';
import type { Address, Hex } from 'viem';
import {
  Operation,
  Role,
  itemId,
  itemPrefix,
  openingId,
  openingPreimage,
  parameterSetId,
} from '../../../workers/sharing/ids.ts';
import vectors from '../../vectors/sharing.json' with { type: 'json' };
import { sha256, toHex } from './reference.ts';

const digest = (text: string): Hex => toHex(sha256(Buffer.from(text)));

const item = {
  chainId: 1n,
  gateway: '0x00112233445566778899aabbccddeeff00112233' as Address,
  epochId: digest('epoch'),
  operation: Operation.publicDecryption,
  content: digest('content'),
} as const;

const opening = {
  setupDigest: digest('set-up'),
  itemPrefix: itemPrefix(item),
  generations: [{ keyId: digest('key'), generation: 0 }],
  parameterSetId: digest('parameters'),
  step: 0,
  digit: 0,
  galoisElement: 0,
  limbs: 3,
  width: 2,
  polynomials: 1,
  positions: Uint32Array.of(0, 1),
};

type Described = { readonly setupDigest: Hex } & Parameters<typeof openingPreimage>[0];

const idOf = ({ setupDigest, ...described }: Described): Hex =>
  openingId(setupDigest, openingPreimage(described));

/** The same opening of all coefficients. */
function openingIdOfAll({ positions, ...rest }: typeof opening): Hex {
  expect(positions).toBeDefined();
  return idOf(rest);
}

describe('test vectors', () => {
  const { ids } = vectors;
  const prefix = ids.itemPrefix as Hex;

  it('item prefix and item id', () => {
    const { chainId, gateway, epochId, content } = ids;
    expect(
      itemPrefix({
        chainId: BigInt(chainId),
        gateway: gateway as Address,
        epochId: epochId as Hex,
        operation: Operation.publicDecryption,
        content: content as Hex,
      }),
    ).toBe(prefix);
    const { digit, galoisElement, polynomial } = ids;
    expect(itemId(prefix, { role: Role.flooding, digit, galoisElement, polynomial })).toBe(
      ids.itemId,
    );
  });

  it('parameter set and opening id', () => {
    const { name, degree } = ids.parameterSet;
    const set = {
      name,
      degree,
      plainModulus: BigInt(ids.parameterSet.plainModulus),
      primes: ids.parameterSet.primes.map(BigInt),
    };
    expect(parameterSetId(set)).toBe(ids.parameterSetId);
    const vectorOpening = {
      setupDigest: ids.setupDigest as Hex,
      itemPrefix: prefix,
      parameterSetId: parameterSetId(set),
      step: ids.step,
      digit: ids.openingDigit,
      galoisElement: ids.openingGaloisElement,
      limbs: set.primes.length,
      width: ids.positions.length,
      polynomials: ids.polynomials,
    };
    expect(
      idOf({
        ...vectorOpening,
        generations: ids.generations as { keyId: Hex; generation: number }[],
        positions: Uint32Array.from(ids.positions),
      }),
    ).toBe(ids.openingId);
    expect(idOf({ ...vectorOpening, generations: [] })).toBe(ids.openingIdWithoutKeysOrPositions);
  });
});

describe('item ids', () => {
  it('differ in every coordinate, and no two coordinates can stand for each other', () => {
    const prefixes = [
      item,
      { ...item, chainId: 2n },
      { ...item, gateway: '0x00112233445566778899aabbccddeeff00112234' as Address },
      { ...item, epochId: digest('epoch 2') },
      { ...item, operation: Operation.keyGeneration },
      { ...item, content: digest('content 2') },
      { ...item, epochId: item.content, content: item.epochId },
    ].map(itemPrefix);
    const coordinates = Object.values(Role).flatMap((role) =>
      [0, 1, 2].flatMap((digit) =>
        [0, 1, 2, 3].flatMap((galoisElement) =>
          [0, 1, 2].map((polynomial) => ({ role, digit, galoisElement, polynomial })),
        ),
      ),
    );
    const ids = prefixes.flatMap((prefix) => coordinates.map((c) => itemId(prefix, c)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('read absent coordinates as 0 and do not depend on the case of hex digits', () => {
    const prefix = itemPrefix(item);
    expect(itemId(prefix, { role: Role.s })).toBe(
      itemId(prefix, { role: Role.s, digit: 0, galoisElement: 0, polynomial: 0 }),
    );
    const upper: Hex = `0x${item.content.slice(2).toUpperCase()}`;
    expect(itemPrefix({ ...item, content: upper })).toBe(prefix);
  });
});

describe('opening ids', () => {
  it('differ in everything that fixes the share', () => {
    const ids = [
      opening,
      { ...opening, setupDigest: digest('set-up 2') },
      { ...opening, itemPrefix: digest('prefix 2') },
      { ...opening, generations: [] },
      { ...opening, generations: [{ keyId: digest('key'), generation: 1 }] },
      { ...opening, generations: [{ keyId: digest('key 2'), generation: 0 }] },
      { ...opening, generations: [...opening.generations, ...opening.generations] },
      { ...opening, parameterSetId: digest('parameters 2') },
      { ...opening, step: 1 },
      { ...opening, digit: 1 },
      { ...opening, galoisElement: 1 },
      { ...opening, limbs: 2 },
      { ...opening, width: 3 },
      { ...opening, polynomials: 2 },
      { ...opening, positions: Uint32Array.of(1, 0) },
      { ...opening, positions: Uint32Array.of(0) },
    ].map(idOf);
    ids.push(openingIdOfAll(opening));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tell no positions from all', () => {
    const all = { ...opening, positions: new Uint32Array(0) };
    expect(idOf(all)).not.toBe(openingIdOfAll(opening));
  });
});
