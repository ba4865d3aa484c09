import { encodeAbiParameters, hexToBytes, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { encrypt } from '../../../workers/fhe/client.ts';
import { serializePublicKey } from '../../../workers/fhe/keys.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
} from '../../../workers/protocols/user-decryption.ts';
import type { DecryptionInput, Recipient } from '../../../workers/protocols/user-decryption.ts';
import {
  add,
  intt,
  multiply,
  negacyclicMultiplyAdd,
  negate,
  ntt,
  subtract,
} from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { scaleAndRound } from '../../../workers/ring/rounding.ts';
import { setsContaining } from '../../../workers/sharing/committee.ts';
import { Operation, Role, itemId, itemPrefix } from '../../../workers/sharing/ids.ts';
import { lagrangeCoefficients } from '../../../workers/sharing/shamir.ts';
import { modInverse } from '../../../workers/kernels/numbers.ts';
import { centred, infinityNorm, sealKeys } from '../fhe/support.ts';
import { mod } from '../kernels/reference.ts';
import { coefficient, coefficientWidth, interpolate, stream } from '../sharing/reference.ts';
import type { ReferenceDistribution } from '../sharing/reference.ts';
import { generateKey, runPart, secretOf, simulate } from './simulation.ts';

// What t operators try who have kept everything, and who read chain and network: the obvious ways
// to the plaintext of a user decryption. Each attack is first shown to work where it should, with
// the one thing that the committee keeps from the attackers. Why none can work: docs/protocols.md.

const set = parameterSet('insecure-bfv-1024');
const simulation = simulate(7);
const { session } = simulation;
const { committee } = session;
const key = generateKey(simulation, set);
const secret = secretOf(simulation, key);
/** The corrupted operators, and the number of the one set that none of them is in. */
const corrupted = [2, 5];
const knownSets = [...new Set(corrupted.flatMap((index) => setsContaining(committee, index)))];
const hiddenSet = committee.sets.findIndex((_, number) => !knownSets.includes(number));

const values = Array.from({ length: set.degree }, (_, at) => BigInt(7 * at + 1) % set.plainModulus);
const ciphertext = encrypt(set, key.publicKey, { slots: values });
const input = prepare(committee, set, ciphertext);
const { limbs, floodBits } = input;
const basis = basisOf(set, limbs);
const { primes, degree } = basis;
const plaintext = [
  ...scaleAndRound(
    basis,
    set.plainModulus,
    negacyclicMultiplyAdd(basis, input.c1, levelled(ntt(basisOf(set), secret)), input.c0),
  ),
];
const [alice, bob] = [1, 2].map(() => parseRecipient(set, sealKeys(set).publicKey));

/** An element over all primes at the decryption level. */
function levelled(x: RnsVector): RnsVector {
  return x.slice(0, limbs * degree);
}

function ask(
  ciphertexts: readonly DecryptionInput[],
  recipient: Recipient,
  form: 'full' | 'packed',
) {
  const request = { keyId: key.keyId, generation: 0, set, ciphertexts, recipient, form };
  const [[h0, h1]] = runPart(simulation, [key], userDecryption(session, request)).rounds;
  return { h0, h1 };
}

const contentLayout = parseAbiParameters('bytes32, bytes32[], bytes32');
const prefixOf = (list: readonly DecryptionInput[], { digest }: Recipient): Hex => {
  const digests = list.map((each) => each.digest);
  const content = keccak256(encodeAbiParameters(contentLayout, [key.keyId, digests, digest]));
  return itemPrefix({ ...session, operation: Operation.userDecryption, content });
};

/** Σ r_A of an item over some sets, from their keys. */
function summands(
  sets: readonly number[],
  id: Hex,
  distribution: ReferenceDistribution,
): RnsVector {
  const totals = Array.from({ length: degree }, () => 0n);
  const width = coefficientWidth(distribution);
  for (const number of sets) {
    const holder = committee.sets[number][0];
    const setKey = simulation.setKeys.get(holder)!.get(number)!;
    const bytes = stream(setKey, hexToBytes(id), 0, width * degree);
    for (let at = 0; at < degree; at++) {
      totals[at] += coefficient(distribution, bytes.subarray(width * at, width * (at + 1)));
    }
  }
  return residuesOf(totals);
}

const residuesOf = (integers: readonly bigint[]): RnsVector =>
  BigUint64Array.from(primes.flatMap((prime) => integers.map((integer) => mod(integer, prime))));

/** Everything random in a user decryption of one ciphertext, over some sets: v, e0 and E. */
function randomnessOf(sets: readonly number[], { b }: Recipient, recipient: Recipient) {
  const prefix = prefixOf([input], recipient);
  const v = summands(sets, itemId(prefix, { role: Role.v }), { kind: 'ternary' });
  const e0 = summands(sets, itemId(prefix, { role: Role.e }), { kind: 'binomial' });
  const floodingId = itemId(prefix, { role: Role.flooding });
  const flooding = summands(sets, floodingId, { kind: 'uniform', bits: floodBits });
  const masked = intt(basis, multiply(basis, levelled(b), ntt(basis, v)));
  return { mask: add(basis, masked, e0), flooding };
}

/** The secret key's summands over some sets. */
function secretSummands(sets: readonly number[]): RnsVector {
  const prefix = itemPrefix({
    ...session,
    operation: Operation.keyGeneration,
    content: key.keyId,
  });
  return summands(sets, itemId(prefix, { role: Role.s }), { kind: 'ternary' });
}

/** How many plaintext coefficients somebody gets right who believes that x is c1·s. */
function hits(x: RnsVector): number {
  const guess = scaleAndRound(basis, set.plainModulus, add(basis, input.c0, x));
  return guess.reduce((count, value, at) => count + (value === plaintext[at] ? 1 : 0), 0);
}
/** A guess of 1024 coefficients modulo 120833 has this many right with probability below 2^-30. */
const CHANCE = 4;
const times = (c1: RnsVector, s: RnsVector): RnsVector =>
  intt(basis, multiply(basis, ntt(basis, c1), ntt(basis, s)));

describe('t operators with all they have ever seen', () => {
  const { h0, h1 } = ask([input], alice, 'full');
  const known = randomnessOf(knownSets, alice, alice);
  const hidden = randomnessOf([hiddenSet], alice, alice);

  it('know every summand but one', () => {
    expect(knownSets).toHaveLength(committee.sets.length - 1);
    expect(committee.sets[hiddenSet]).toEqual([1, 3, 4, 6, 7]);
    const both = add(basis, secretSummands(knownSets), secretSummands([hiddenSet]));
    expect(both).toEqual(levelled(secret));
    // What the attacks below are about: h0 is c1·s + E + v·p0 + e0, and c1·s is the plaintext.
    const all = [known.mask, known.flooding, hidden.mask, hidden.flooding];
    const rest = all.reduce((x, y) => subtract(basis, x, y), h0.value);
    expect(rest).toEqual(times(input.c1, levelled(secret)));
    expect(hits(rest)).toBe(degree);
  });

  it('cannot read an opened value, though they could without the mask', () => {
    expect(hits(h0.value)).toBeLessThan(CHANCE);
    expect(hits(h1.value)).toBeLessThan(CHANCE);
    expect(hits(subtract(basis, h0.value, h1.value))).toBeLessThan(CHANCE);
    // Flooding is no obstacle to who has the mask: that is the user.
    const mask = add(basis, known.mask, hidden.mask);
    expect(hits(subtract(basis, h0.value, mask))).toBe(degree);
  });

  it('cannot read it without the summands they know', () => {
    const rest = subtract(basis, h0.value, known.mask);
    expect(hits(rest)).toBeLessThan(CHANCE);
    expect(hits(subtract(basis, rest, known.flooding))).toBeLessThan(CHANCE);
    // The one summand of the mask that they lack is what hides it.
    expect(hits(subtract(basis, rest, hidden.mask))).toBe(degree);
  });

  it('cannot decrypt with the summands of the key they know, nor with t shares of it', () => {
    expect(hits(times(input.c1, secretSummands(knownSets)))).toBeLessThan(CHANCE);
    expect(hits(times(input.c1, secretSummands([hiddenSet])))).toBeLessThan(CHANCE);
    const interpolated = (indices: readonly number[]): RnsVector =>
      indices
        .map((index) => {
          const share = levelled(key.keyShares.get(index)!.coefficients);
          const scalars = primes.map(
            (prime) => lagrangeCoefficients(committee, indices, 0, prime)[indices.indexOf(index)],
          );
          return share.map(
            (residue, at) =>
              (residue * scalars[Math.floor(at / degree)]) % primes[Math.floor(at / degree)],
          );
        })
        .reduce((x, y) => add(basis, x, y));
    expect(hits(times(input.c1, interpolated(corrupted)))).toBeLessThan(CHANCE);
    // One more, and they have it: that is the threshold.
    expect(hits(times(input.c1, interpolated([...corrupted, 6])))).toBe(degree);
  });

  it('learn nothing from single shares: each is determined by theirs and the opened value', () => {
    for (const { shares, value } of [h0, h1]) {
      for (const index of simulation.indices.filter((each) => !corrupted.includes(each))) {
        for (const at of [0, 1, degree, limbs * degree - 1]) {
          const prime = primes[Math.floor(at / degree)];
          const theirs: [number, bigint][] = [
            [0, value[at]],
            ...corrupted.map((each): [number, bigint] => [each, shares.get(each)![at]]),
          ];
          expect(shares.get(index)![at]).toBe(interpolate(theirs, index, prime));
        }
      }
    }
  });

  it('gain nothing from the same ciphertext for two users', () => {
    const second = ask([input], bob, 'full');
    const difference = subtract(basis, h0.value, second.h0.value);
    const knownDifference = subtract(basis, known.mask, randomnessOf(knownSets, bob, bob).mask);
    for (const x of [difference, subtract(basis, difference, knownDifference)]) {
      expect(hits(x)).toBeLessThan(CHANCE);
      // No cancelling: what is left is as large as anything modulo q.
      expect(looksUniform(x)).toBe(true);
    }
    // If one of the two is theirs, they know its mask, and flooded value, and still not the other's.
    expect(hits(add(basis, second.h0.value, negate(basis, h0.value)))).toBeLessThan(CHANCE);
  });
});

/** True if the integers behind x fill the interval up to q, as random ones do. */
function looksUniform(x: RnsVector): boolean {
  const modulus = primes.reduce((product, prime) => product * prime, 1n);
  const integers = centred(set, limbs, x);
  const quarters = [0, 0, 0, 0];
  for (const integer of integers) quarters[Number((4n * mod(integer, modulus)) / modulus)]++;
  return quarters.every((count) => count > degree / 6 && count < degree / 2.9);
}

describe('an observer of many answers', () => {
  const others = [3n, 4n, 5n].map((scalar) =>
    prepare(committee, set, encrypt(set, key.publicKey, { scalar })),
  );

  it('averages nothing: every list hides the same flooded value anew', () => {
    const modulus = primes.reduce((product, prime) => product * prime, 1n);
    const count = 32;
    const opened = Array.from({ length: count }, (_, at) => {
      const list = [input, ...Array.from({ length: at }, (_, i) => others[(at + i) % 3])];
      const { h0, h1 } = ask(list, alice, 'packed');
      const residues = BigUint64Array.from(primes, (_, limb) => h0.value[limb * list.length]);
      const [integer] = centred(set, limbs, residues);
      return { integer, h1: h1.value };
    });
    expect(new Set(opened.map(({ integer }) => integer)).size).toBe(count);
    const total = opened.reduce((sum, { integer }) => sum + integer, 0n);
    const [c0] = centred(
      set,
      limbs,
      BigUint64Array.from(primes, (_, l) => input.c0[l * degree]),
    );
    for (const guess of [total / BigInt(count), total]) {
      const scaled = mod(
        set.plainModulus * (c0 + guess) + modulus / 2n,
        set.plainModulus * modulus,
      );
      expect((scaled / modulus) % set.plainModulus).not.toBe(plaintext[0]);
    }
    // No two lists share a mask.
    const masks = opened.map(({ h1 }) => Buffer.from(h1.buffer).toString('hex'));
    expect(new Set(masks).size).toBe(count);
  });

  it('cannot solve for the masks of two lists that share ciphertexts', () => {
    // Lists that differ at the last place only: elsewhere c1·s + E cancels, and all that is left is
    // the difference of two masks. Without an e0 of each list this is (v - v')·p0 exactly.
    const list = Array.from({ length: degree }, () => others[0]);
    const similar = [...list.slice(1), others[1]];
    const [first, second] = [list, similar].map((each) => ask(each, alice, 'packed'));
    const difference = subtract(basis, first.h0.value, second.h0.value);
    const errorOf = (which: readonly DecryptionInput[]): RnsVector => {
      const id = itemId(prefixOf(which, alice), { role: Role.e });
      return summands([...knownSets, hiddenSet], id, { kind: 'binomial' });
    };
    const secretOfList = (which: readonly DecryptionInput[]): RnsVector => {
      const id = itemId(prefixOf(which, alice), { role: Role.v });
      return summands([...knownSets, hiddenSet], id, { kind: 'ternary' });
    };
    const errors = subtract(basis, errorOf(list), errorOf(similar));
    const secrets = subtract(basis, secretOfList(list), secretOfList(similar));

    // They are given the last place as well.
    const product = intt(basis, multiply(basis, levelled(alice.b), ntt(basis, secrets)));
    const helped = difference.slice();
    primes.forEach((prime, limb) => {
      const last = (limb + 1) * degree - 1;
      helped[last] = (product[last] + errors[last]) % prime;
    });
    const inverse = ntt(basis, intt(basis, levelled(alice.b))).map((residue, at) =>
      modInverse(residue, primes[Math.floor(at / degree)]),
    );
    const solve = (x: RnsVector): bigint[] =>
      centred(set, limbs, intt(basis, multiply(basis, ntt(basis, x), inverse)));
    const bound = 2n * BigInt(committee.sets.length);
    // Without e0 the attack finds v - v', small as it is; with it, noise.
    const withoutErrors = solve(subtract(basis, helped, errors));
    expect(infinityNorm(withoutErrors)).toBeLessThanOrEqual(bound);
    expect(withoutErrors).toEqual(centred(set, limbs, secrets));
    expect(infinityNorm(solve(helped))).toBeGreaterThan(1n << 100n);
  });
});

describe('a recipient with a key of its own making', () => {
  it('gets the flooded value and nothing more', () => {
    // p0 = p1 = 1: the mask is v + e0, nothing to speak of, and everybody can read the answer.
    const all = basisOf(set);
    const one: RnsVector = new BigUint64Array(all.limbs * degree).fill(1n);
    const careless = parseRecipient(set, serializePublicKey(set, one, one));
    const { h0 } = ask([input], careless, 'full');
    expect(hits(h0.value)).toBe(degree);
    // What the key must not be learned from: the exact c1·s. The distance is flooding noise.
    const product = times(input.c1, levelled(secret));
    const distance = centred(set, limbs, subtract(basis, h0.value, product));
    expect(infinityNorm(distance)).toBeGreaterThan(1n << BigInt(floodBits - 1));
    const small = distance.filter((each) => each * each < 1n << BigInt(2 * (floodBits - 40)));
    expect(small).toHaveLength(0);
  });
});
