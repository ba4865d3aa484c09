import { hexToBytes } from 'viem';
import { describe, expect, it } from 'vitest';
import { decryptionPlan, hiddenNoise } from '../../../../workers/fhe/noise.ts';
import { noiseAfterSwitching } from '../../../../workers/fhe/noise-growth.ts';
import { provedNoise, provedNorms } from '../../../../workers/proofs/lattice/noise.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { open } from '../../../../workers/protocols/public-decryption.ts';
import { add } from '../../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../../workers/ring/basis.ts';
import { setsContaining } from '../../../../workers/sharing/committee.ts';
import { centred } from '../../fhe/support.ts';
import { decrypt, decryptionShares, received } from '../../protocols/simulation.ts';
import { coefficient, coefficientWidth, stream } from '../../sharing/reference.ts';
import { ciphertextBytes } from '../support.ts';
import {
  committee,
  decrypted,
  degree,
  disguised,
  hits,
  key,
  limbs,
  none,
  outcomes,
  primes,
  q,
  refused,
  secret,
  set,
  simulation,
  t,
  zeros,
} from './victim.ts';

// What a registered ciphertext of unknown origin does to a key, and why it has no proof. Each attack
// reads the key out of a committee that decrypts whatever it is given; then its ciphertexts are tried
// on the verifier.

describe('ciphertexts with structure', () => {
  const step = q / t;

  it('read the whole key out of one decryption, and have no proof', async () => {
    // c1·s = (q/t)·s is an encoding of s, without any noise to speak of.
    const plain = ciphertextBytes(set, zeros, zeros.with(0, step));
    expect(hits(decrypted(plain))).toBe(degree);
    expect(await outcomes(plain, none)).toEqual(refused);
  });

  it('do so inside of an encryption, which nobody can tell from others', async () => {
    const { bytes, witness } = disguised('inside', zeros.with(0, step));
    expect(hits(decrypted(bytes))).toBe(degree);
    expect(await outcomes(bytes, witness.u)).toEqual(refused);
  });

  it('read any coefficient out of one decrypted number', async () => {
    const wanted = [0, 1, 77, degree - 1];
    const found = wanted.map((i) => {
      // X^(N-i)·s has -s_i at coefficient 0.
      const turned = i === 0 ? zeros.with(0, step) : zeros.with(degree - i, -step);
      const { bytes } = disguised(`number ${i}`, turned);
      const { coefficients } = decrypt(simulation, key, bytes, [0]);
      return 2n * coefficients[0] > t ? coefficients[0] - t : coefficients[0];
    });
    expect(found).toEqual(wanted.map((i) => secret[i]));
  });
});

describe('ciphertexts with more noise than there is room for', () => {
  it('turn decryption errors into the key, and have no proof', async () => {
    // Noise of q/2t·s: odd coefficients are rounded up or down as the flooding falls, even ones never.
    const half = zeros.with(0, q / (2n * t));
    const answers = Array.from({ length: 24 }, (_, i) => disguised(`errors ${i}`, half)).map(
      ({ bytes }) => decrypted(bytes),
    );
    const found = secret.map((_, i) => {
      const values = answers.map((answer) => answer[i]);
      const [least, most] = [-1n, 1n].map((sign) =>
        values.reduce((best, x) => (sign * x > sign * best ? x : best)),
      );
      return least + most;
    });
    expect(hits(found)).toBe(degree);
    // One answer alone gives all even coefficients and one of two values of the others.
    const once = secret.filter((s, i) => s === 2n * answers[0][i]).length;
    expect(once).toBe(secret.filter((s) => s % 2n === 0n).length);
    const { bytes, witness } = disguised('errors 0', half);
    expect(await outcomes(bytes, witness.u)).toEqual(refused);
  });
});

describe('ciphertexts that decrypt correctly, with more noise than flooding hides', () => {
  const corrupted = 1;
  const known = setsContaining(committee, corrupted);
  const { floodBits, limbs: low } = decryptionPlan(set, committee);
  const edge = 1n << BigInt(floodBits);
  const dropped = primes.slice(low, limbs).reduce((product, prime) => product * prime, 1n);

  /** The least and the largest noise that one operator, who knows all flooding but one set's, finds possible. */
  function possible(ciphertexts: readonly Uint8Array[]): [bigint, bigint][] {
    const bounds = secret.map((): [bigint, bigint] => [-q, q]);
    for (const bytes of ciphertexts) {
      const { opening, shares } = decryptionShares(simulation, key, bytes);
      const { value } = open(opening, received(opening, shares, corrupted));
      const opened = centred(set, low, add(basisOf(set, low), opening.inputs[0].c0, value));
      for (const [i, flooding] of knownFlooding(opening.floodingIds[0]).entries()) {
        const rest = opened[i] - flooding;
        const [least, most] = bounds[i];
        bounds[i] = [
          rest - edge > least ? rest - edge : least,
          rest + edge < most ? rest + edge : most,
        ];
      }
    }
    return bounds;
  }

  function knownFlooding(floodingId: `0x${string}`): bigint[] {
    const distribution = { kind: 'uniform', bits: floodBits } as const;
    const width = coefficientWidth(distribution);
    const total = secret.map(() => 0n);
    for (const number of known) {
      const setKey = simulation.setKeys.get(corrupted)!.get(number)!;
      const bytes = stream(setKey, hexToBytes(floodingId), 0, width * degree);
      total.forEach((_, i) => {
        total[i] += coefficient(distribution, bytes.subarray(width * i, width * (i + 1)));
      });
    }
    return total;
  }

  it('give the key to one operator who watches, and have no proof', async () => {
    // At the decryption level the noise is 2^(B-2)·s: a decryption error is as good as impossible.
    const step = edge / 4n;
    const added = zeros.with(0, step * dropped);
    const queries = Array.from({ length: 96 }, (_, i) => disguised(`leak ${i}`, added));
    expect(decrypted(queries[0].bytes).every((m) => m === 0n)).toBe(true);
    const candidates = Array.from({ length: 2 * committee.sets.length + 1 }, (_, i) =>
      BigInt(i - committee.sets.length),
    );
    const slack = hiddenNoise(set, floodBits);
    const found = possible(queries.map(({ bytes }) => bytes)).map(([least, most]) => {
      const left = candidates.filter((s) => s * step >= least - slack && s * step <= most + slack);
      return left.length === 1 ? left[0] : undefined;
    });
    expect(hits(found)).toBe(degree);
    expect(await outcomes(queries[0].bytes, queries[0].witness.u)).toEqual(refused);
  });

  it('are not to be had with a proof: what that allows excludes no noise at all', () => {
    // e1' as long as can be extracted from any prover, all of it in one coefficient.
    const { e1 } = provedNorms(latticeParameters(set));
    const queries = Array.from({ length: 12 }, (_, i) =>
      disguised(`legal ${i}`, zeros.with(0, e1)),
    );
    const proved = provedNoise(set, committee);
    const noise = noiseAfterSwitching(set, committee, proved, limbs, low);
    expect(noise).toBeLessThanOrEqual(hiddenNoise(set, floodBits));
    for (const { bytes } of queries) expect(decrypted(bytes).every((m) => m === 0n)).toBe(true);
    for (const [least, most] of possible(queries.map(({ bytes }) => bytes))) {
      expect(least).toBeLessThan(-noise);
      expect(most).toBeGreaterThan(noise);
    }
  });
});
