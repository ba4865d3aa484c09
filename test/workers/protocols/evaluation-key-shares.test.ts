import { encodeAbiParameters, hexToBytes, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../../workers/fhe/keys.ts';
import { galoisKeyDigit } from '../../../workers/protocols/galois-key.ts';
import { relinearizationKeyDigit } from '../../../workers/protocols/relinearization-key.ts';
import { switchingKeyDigit } from '../../../workers/protocols/switching-key.ts';
import { add, multiply, ntt, subtract } from '../../../workers/ring/arithmetic.ts';
import { automorphism } from '../../../workers/ring/automorphism.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { uniformPolynomial } from '../../../workers/ring/uniform.ts';
import { Operation, Role, itemId, itemPrefix } from '../../../workers/sharing/ids.ts';
import { generateKey, runPart, simulate } from './simulation.ts';

// docs/protocols.md and docs/formats.md, Ids, written out a second time on purpose: which
// polynomial has which item id decides whether two of them are ever the same.

const set = parameterSet('insecure-bfv-1024');
const basis = basisOf(set);
const { primes, degree } = basis;
const simulation = simulate(4);
const { session, indices } = simulation;
const key = generateKey(simulation, set);
const other = generateKey(simulation, set, 'other');
const keys = [key, other];
const reference = { keyId: key.keyId, generation: 0, set };
const digit = 1;

type Coordinates = Parameters<typeof itemId>[1];

/** The polynomials of one operation on one content. */
function polynomialsOf(operation: Operation, content: Hex) {
  const prefix = itemPrefix({ ...session, operation, content });
  const random = (index: number, kind: 'ternary' | 'binomial', coordinates: Coordinates) => {
    const item = { primes, degree, itemId: itemId(prefix, coordinates), distribution: { kind } };
    return ntt(basis, simulation.randomness.get(index)!.share(item));
  };
  return {
    a: (coordinates: Omit<Coordinates, 'role'>) =>
      uniformPolynomial(basis, hexToBytes(itemId(prefix, { role: Role.a, ...coordinates }))),
    e: (index: number, coordinates: Omit<Coordinates, 'role'>) =>
      random(index, 'binomial', { role: Role.e, ...coordinates }),
    u: (index: number) => random(index, 'ternary', { role: Role.u }),
  };
}

/** P·s in limb `digit`, 0 elsewhere. */
function inLimb(s: RnsVector): RnsVector {
  const special = primes.at(-1)!;
  return s.map((residue, at) =>
    Math.floor(at / degree) === digit ? (special * residue) % primes[digit] : 0n,
  );
}

const shareOf = (index: number, which = key): RnsVector => which.keyShares.get(index)!.ntt;
const times = (x: RnsVector, y: RnsVector): RnsVector => multiply(basis, x, y);

describe('the shares that docs/protocols.md says', () => {
  it('make a Galois key', () => {
    const element = 9;
    const { a, e } = polynomialsOf(Operation.galoisKey, key.keyId);
    const coordinates = { digit, galoisElement: element };
    const part = galoisKeyDigit(session, { ...reference, element }, digit);
    const { result, rounds } = runPart(simulation, keys, part);
    expect(parsePublicKey(set, result).a).toEqual(a(coordinates));
    for (const index of indices) {
      const s = shareOf(index);
      const masked = subtract(basis, e(index, coordinates), times(a(coordinates), s));
      const expected = add(basis, masked, inLimb(automorphism(basis, s, element)));
      expect(rounds[0][0].shares.get(index)).toEqual(expected);
    }
  });

  it('make a switching key', () => {
    const layout = parseAbiParameters('bytes32, bytes32');
    const content = keccak256(encodeAbiParameters(layout, [key.keyId, other.keyId]));
    const { a, e } = polynomialsOf(Operation.switchingKey, content);
    const to = { keyId: other.keyId, generation: 0 };
    const part = switchingKeyDigit(session, { from: reference, to, set }, digit);
    const { result, rounds } = runPart(simulation, keys, part);
    expect(parsePublicKey(set, result).a).toEqual(a({ digit }));
    for (const index of indices) {
      const masked = subtract(
        basis,
        e(index, { digit }),
        times(a({ digit }), shareOf(index, other)),
      );
      const expected = add(basis, masked, inLimb(shareOf(index)));
      expect(rounds[0][0].shares.get(index)).toEqual(expected);
    }
  });

  it('make a relinearization key', () => {
    const { a, e, u } = polynomialsOf(Operation.relinearizationKey, key.keyId);
    const part = relinearizationKeyDigit(session, reference, digit);
    const { result, rounds } = runPart(simulation, keys, part);
    const [[first], [second]] = rounds;
    const h0 = first.value.slice(0, basis.limbs * degree);
    const h1 = first.value.slice(basis.limbs * degree);
    expect(parsePublicKey(set, result)).toEqual({ b: second.value, a: h1 });
    for (const index of indices) {
      const s = shareOf(index);
      const [e0, e1, e2] = [0, 1, 2].map((polynomial) => e(index, { digit, polynomial }));
      const ua = times(u(index), a({ digit }));
      const expected0 = add(basis, subtract(basis, e0, ua), inLimb(s));
      const expected1 = add(basis, times(s, a({ digit })), e1);
      expect([...first.shares.get(index)!]).toEqual([...expected0, ...expected1]);
      const crossed = times(subtract(basis, u(index), s), h1);
      const expected = add(basis, add(basis, times(s, h0), crossed), e2);
      expect(second.shares.get(index)).toEqual(expected);
    }
  });
});
