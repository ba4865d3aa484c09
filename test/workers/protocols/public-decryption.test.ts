import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSlots, encrypt } from '../../../workers/fhe/client.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { decryptionPlan } from '../../../workers/fhe/noise.ts';
import { ProtocolErrorCode } from '../../../workers/protocols/errors.ts';
import * as publicDecryption from '../../../workers/protocols/public-decryption.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { sealSwitch } from '../fhe/support.ts';
import { decrypt, decryptionShares, generateKey, simulate } from './simulation.ts';
import type { SimulatedKey, Simulation } from './simulation.ts';

const insecure = parameterSet('insecure-bfv-1024');
const secure = parameterSet('bfv-8192-b20');

describe.each([
  { set: insecure, n: 4 },
  { set: insecure, n: 7 },
  { set: insecure, n: 10 },
  { set: insecure, n: 13 },
  { set: secure, n: 4 },
  { set: secure, n: 13 },
])('$n operators with $set.name', ({ set, n }) => {
  let simulation: Simulation;
  let key: SimulatedKey;
  beforeAll(() => {
    // A quorum is enough, and at n=13 with the large ring it saves many seconds.
    simulation = simulate(n, { present: 2 * ((n - 1) / 3) + 1 });
    key = generateKey(simulation, set);
  });

  it('decrypt all slots of a ciphertext by a stock client', () => {
    const slots = Array.from({ length: set.degree }, (_, at) => BigInt(at * 31) % set.plainModulus);
    const ciphertext = encrypt(set, key.publicKey, { slots });
    const { plaintext, result, coefficients } = decrypt(simulation, key, ciphertext);
    expect(decodeSlots(set, plaintext!)).toEqual(slots);
    expect(coefficients).toHaveLength(set.degree);
    expect(Buffer.from(result)).toEqual(createHash('sha256').update(plaintext!).digest());
  });

  it('decrypt a scalar by one coefficient', () => {
    const scalar = set.plainModulus - 1n;
    const ciphertext = encrypt(set, key.publicKey, { scalar });
    const { coefficients, result, plaintext } = decrypt(simulation, key, ciphertext, [0]);
    expect([...coefficients]).toEqual([scalar]);
    expect(Buffer.from(result).toString('hex')).toBe(scalar.toString(16).padStart(16, '0'));
    expect(plaintext).toBe(undefined);
  });
});

describe('public decryption', () => {
  const simulation = simulate(4);
  const { session } = simulation;
  const key = generateKey(simulation, insecure);
  const { keyId } = key;
  const slots = Array.from({ length: insecure.degree }, (_, at) => BigInt(at));
  const ciphertext = encrypt(insecure, key.publicKey, { slots });
  const request = { keyId, generation: 0, set: insecure, ciphertexts: [ciphertext] };
  const describeIt = (changes: object = {}): publicDecryption.PublicDecryption =>
    publicDecryption.describe(session, { ...request, ...changes });

  it('asked for {0}, {0,1}, many and all, reveals one flooded value', () => {
    const { shares: whole } = decryptionShares(simulation, key, ciphertext);
    const many = Array.from({ length: 40 }, (_, at) => 3 * at);
    for (const positions of [[0], [0, 1], [1, 5, insecure.degree - 1], many]) {
      const { shares, opening } = decryptionShares(simulation, key, ciphertext, positions);
      for (const [index, share] of shares) {
        const expected = opening.shape.primes.flatMap((_, limb) =>
          positions.map((position) => whole.get(index)![limb * insecure.degree + position]),
        );
        expect([...share]).toEqual(expected);
      }
      const all = decrypt(simulation, key, ciphertext).coefficients;
      const some = decrypt(simulation, key, ciphertext, positions).coefficients;
      expect([...some]).toEqual(positions.map((position) => all[position]));
    }
  });

  it('asked twice gives the same share, bit for bit', () => {
    const again = simulate(4);
    const sameKey = generateKey(again, insecure);
    expect(sameKey.digest).toBe(key.digest);
    for (const positions of [undefined, [0, 7]]) {
      const first = decryptionShares(simulation, key, ciphertext, positions);
      const second = decryptionShares(again, sameKey, ciphertext, positions);
      expect(second.opening.id).toBe(first.opening.id);
      expect(second.shares).toEqual(first.shares);
    }
  });

  it('never floods two ciphertexts with the same noise', () => {
    const other = encrypt(insecure, key.publicKey, { slots });
    const ids = [
      describeIt(),
      describeIt({ ciphertexts: [other] }),
      describeIt({ keyId: session.epochId }),
    ];
    expect(new Set(ids.flatMap(({ floodingIds }) => floodingIds)).size).toBe(3);
  });

  it('names an opening by everything that fixes its bytes, and floods by content alone', () => {
    const variants = [
      describeIt(),
      describeIt({ positions: [0] }),
      describeIt({ positions: [1] }),
      describeIt({ positions: [0, 1] }),
      describeIt({ generation: 1 }),
    ];
    expect(new Set(variants.map(({ id }) => id)).size).toBe(variants.length);
    expect(new Set(variants.flatMap(({ floodingIds }) => floodingIds)).size).toBe(1);
  });

  it('opens several at once with the shares and results that each has alone', () => {
    const numbers = [5n, 7n, 11n].map((scalar) => encrypt(insecure, key.publicKey, { scalar }));
    for (const positions of [[0], [0, 3, 8], undefined]) {
      const opening = describeIt({ ciphertexts: numbers, positions });
      const shares = new Map(
        simulation.indices.map((index) => [
          index,
          publicDecryption.share(
            opening,
            key.keyShares.get(index)!,
            simulation.randomness.get(index)!,
          ),
        ]),
      );
      const alone = numbers.map((bytes) => decryptionShares(simulation, key, bytes, positions));
      for (const [index, share] of shares)
        expect([...share]).toEqual(alone.flatMap((one) => [...one.shares.get(index)!]));
      const { value } = publicDecryption.open(opening, shares);
      expect(publicDecryption.finish(opening, value)).toEqual(
        alone.flatMap((one) =>
          publicDecryption.finish(
            one.opening,
            publicDecryption.open(one.opening, one.shares).value,
          ),
        ),
      );
    }
  });

  it('names a list by its ciphertexts and their order, and floods each by itself', () => {
    const [a, b] = [3n, 4n].map((scalar) => encrypt(insecure, key.publicKey, { scalar }));
    const lists = [[a], [b], [a, b], [b, a]].map((ciphertexts) =>
      describeIt({ ciphertexts, positions: [0] }),
    );
    expect(new Set(lists.map(({ id }) => id)).size).toBe(lists.length);
    const [[ofA], [ofB], both, reversed] = lists.map(({ floodingIds }) => floodingIds);
    expect(both).toEqual([ofA, ofB]);
    expect(reversed).toEqual([ofB, ofA]);
  });

  it('opens numbers together and whole ciphertexts one by one', () => {
    expect(publicDecryption.openedTogether([1, 2, 3], [0])).toEqual([[1, 2, 3]]);
    expect(publicDecryption.openedTogether([1, 2, 3], [])).toEqual([[1], [2], [3]]);
  });

  it('has nothing to open of no ciphertext', () => {
    const opening = describeIt({ ciphertexts: [] });
    expect(() =>
      publicDecryption.share(opening, key.keyShares.get(1)!, simulation.randomness.get(1)!),
    ).toThrow(expect.objectContaining({ code: SharingErrorCode.SHAPE_INVALID }));
  });

  it('does the work on the ciphertext once if asked to', () => {
    const prepared = publicDecryption.prepare(session.committee, insecure, ciphertext);
    expect(describeIt({ ciphertexts: [prepared] })).toEqual(describeIt());
  });

  it('decrypts what was switched down before as the same ciphertext', () => {
    const large = simulate(4);
    const largeKey = generateKey(large, secure);
    const fresh = encrypt(secure, largeKey.publicKey, { scalar: 9n });
    const { limbs } = decryptionPlan(secure, large.session.committee);
    const switched = sealSwitch(secure, fresh, limbs);
    const [first, second] = [fresh, switched].map((bytes) =>
      decryptionShares(large, largeKey, bytes, [0]),
    );
    expect(switched.length).toBeLessThan(fresh.length);
    expect(second.opening.id).toBe(first.opening.id);
    expect(second.shares).toEqual(first.shares);
    expect([...decrypt(large, largeKey, switched, [0]).coefficients]).toEqual([9n]);
  });

  it.each([
    [[]],
    [[0, 0]],
    [[1, 0]],
    [[insecure.degree]],
    [[-1]],
    [[0.5]],
    [[2 ** 32]],
    [[Number.NaN]],
  ])('refuses the positions %j', (positions) => {
    expect(() => describeIt({ positions })).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.POSITIONS_INVALID }),
    );
  });

  it('refuses a ciphertext below the decryption level', () => {
    const low = sealSwitch(insecure, ciphertext, 2);
    expect(() => describeIt({ ciphertexts: [low] })).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.CIPHERTEXT_LEVEL_TOO_LOW }),
    );
  });

  it('refuses bytes that are not canonical', () => {
    expect(() => describeIt({ ciphertexts: [ciphertext.subarray(1)] })).toThrow(
      expect.objectContaining({ code: FheErrorCode.HEADER_INVALID }),
    );
  });

  it('refuses what was prepared for another committee', () => {
    const prepared = publicDecryption.prepare(simulate(7).session.committee, insecure, ciphertext);
    expect(() => describeIt({ ciphertexts: [prepared] })).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.COMMITTEE_MISMATCH }),
    );
  });

  it('refuses a key share of another generation, and a value of another opening', () => {
    const opening = describeIt({ generation: 1 });
    const keyShare = key.keyShares.get(1)!;
    expect(() => publicDecryption.share(opening, keyShare, simulation.randomness.get(1)!)).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.KEY_SHARE_MISMATCH }),
    );
    const wrong = describeIt({ positions: [0, 1] });
    expect(() => publicDecryption.finish(wrong, new BigUint64Array(3))).toThrow(
      expect.objectContaining({ code: ProtocolErrorCode.VALUE_MISMATCH }),
    );
  });
});
