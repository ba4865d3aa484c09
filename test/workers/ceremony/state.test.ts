import { decodeAbiParameters, zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contribute, type Contribution } from '../../../workers/ceremony/contribute.ts';
import { CeremonyErrorCode } from '../../../workers/ceremony/errors.ts';
import { plainPoints } from '../../../workers/ceremony/points.ts';
import { prove, verifyProof, type UpdateProof } from '../../../workers/ceremony/proof.ts';
import {
  contributionId,
  decodePublished,
  encodePublished,
} from '../../../workers/ceremony/published.ts';
import { ContributionSecrets, perSecret } from '../../../workers/ceremony/secrets.ts';
import {
  encodeState,
  g1BytesOf,
  g2BytesOf,
  initialState,
  powersStateType,
  stateHash,
  stateOf,
  type PowersState,
} from '../../../workers/ceremony/state.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import vectors from '../../vectors/ceremony.json' with { type: 'json' };
import * as setting from './ceremony.ts';
import { Fr } from './reference.ts';

const { power } = vectors;
const order = Fr.ORDER;

const place = (index: number) => ({
  chainId: BigInt(vectors.chainId),
  crsManager: vectors.crsManager as Hex,
  ceremonyId: vectors.ceremonyId as Hex,
  index,
});
const stateFrom = (encoded: string): PowersState =>
  decodeAbiParameters([powersStateType], encoded as Hex)[0];
const states = vectors.contributions.map(({ state }) => stateFrom(state.encoded));
const before = (at: number): PowersState => states[at - 1] ?? initialState(power);
const proofOf = (at: number): UpdateProof => {
  const { challenge, tau, alpha, beta } = vectors.contributions[at].proof;
  return {
    challenge: BigInt(challenge),
    tau: BigInt(tau),
    alpha: BigInt(alpha),
    beta: BigInt(beta),
  };
};
const scalar = (word: string): Uint8Array => Buffer.from(word.slice(2), 'hex').reverse();
const secretsOf = (at: number): ContributionSecrets => {
  const { secrets, nonces } = vectors.contributions[at];
  return new ContributionSecrets(
    perSecret((name) => scalar(secrets[name])),
    perSecret((name) => scalar(nonces[name])),
    ContributionSecrets.draw().keyPoints,
  );
};

let curve: Curve;
/** The vectors' contributions, made by the code under test. */
const chain: Contribution[] = [];

beforeAll(async () => {
  curve = await Curve.start();
  for (const [at, { index }] of vectors.contributions.entries()) {
    chain.push(
      await contribute(curve, chain[at - 1] ?? setting.start(), place(index), secretsOf(at)),
    );
  }
});
afterAll(() => curve.close());

describe('the state of a file', () => {
  it('has the points and roots of the reference', () => {
    chain.forEach(({ state, file }, at) => {
      expect({ ...state, digest: states[at].digest }).toEqual(states[at]);
      expect(stateOf(file, plainPoints(file))).toEqual(state);
    });
  });

  it('is encoded and named as in the contract', () => {
    vectors.contributions.forEach(({ state }, at) => {
      expect(encodeState(states[at])).toBe(state.encoded);
      expect(encodeState(states[at])).toHaveLength(2 + 18 * 64);
      expect(stateHash(states[at])).toBe(state.hash);
    });
  });

  it('is named zero before the first contribution', () => {
    expect(stateHash(initialState(power))).toBe(zeroHash);
    expect(stateOf(setting.start().file, plainPoints(setting.start().file))).toMatchObject({
      tauG1: initialState(power).tauG1,
      betaG2: initialState(power).betaG2,
    });
  });

  it('gives its points back as in the file', () => {
    const [{ file, state }] = chain;
    expect(Buffer.from(g1BytesOf(state.alphaG1)).equals(file.alphaTauG1.subarray(0, 64))).toBe(
      true,
    );
    expect(Buffer.from(g2BytesOf(state.tauG2)).equals(file.tauG2.subarray(128, 256))).toBe(true);
  });
});

describe('what is published', () => {
  it('is 22 words, as in the vectors', () => {
    vectors.contributions.forEach(({ result, contributionId: id, index }, at) => {
      const published = { state: states[at], proof: proofOf(at) };
      expect(encodePublished(published)).toBe(result);
      expect(decodePublished(result as Hex)).toEqual(published);
      expect(contributionId(vectors.ceremonyId as Hex, before(at), index)).toBe(id);
    });
  });

  it('has one form', () => {
    const { result } = vectors.contributions[0];
    const widePower = `0x01${result.slice(4)}`;
    for (const bytes of [result.slice(0, -2), `${result}00`, '0x', widePower]) {
      expect(() => decodePublished(bytes as Hex)).toThrow(
        expect.objectContaining({ code: CeremonyErrorCode.PUBLISHED_INVALID }),
      );
    }
  });
});

describe('a proof of knowledge', () => {
  it('is that of the vectors for their nonces', async () => {
    for (const [at, { index }] of vectors.contributions.entries()) {
      const proof = await prove(curve, place(index), before(at), states[at], secretsOf(at));
      expect(proof).toEqual(proofOf(at));
      expect(verifyProof(place(index), before(at), states[at], proof)).toBe(true);
    }
  });

  it('does not hold for another place, state, challenge or answer', () => {
    const proof = proofOf(1);
    const { index } = vectors.contributions[1];
    const here = place(index);
    const holds = (at: Partial<typeof here>, other: Partial<UpdateProof> = {}): boolean =>
      verifyProof({ ...here, ...at }, states[0], states[1], { ...proof, ...other });
    expect(holds({})).toBe(true);
    expect(holds({ index: 2 })).toBe(false);
    expect(holds({ chainId: 1n })).toBe(false);
    expect(holds({ ceremonyId: zeroHash })).toBe(false);
    expect(holds({ crsManager: `0x${'01'.repeat(20)}` })).toBe(false);
    for (const name of ['challenge', 'tau', 'alpha', 'beta'] as const) {
      expect(holds({}, { [name]: (proof[name] + 1n) % order })).toBe(false);
      expect(holds({}, { [name]: proof[name] + order })).toBe(false);
      expect(holds({}, { [name]: -1n })).toBe(false);
    }
    expect(verifyProof(here, states[1], states[1], proof)).toBe(false);
    expect(verifyProof(here, initialState(power), states[1], proof)).toBe(false);
    const otherFile = { ...states[1], digest: states[0].digest };
    expect(verifyProof(here, states[0], otherFile, proof)).toBe(false);
  });
});

describe('secrets', () => {
  it.each(['tau', 'alpha', 'beta'] as const)('are refused when %s is 0 or 1', (name) => {
    for (const first of [0, 1]) {
      const drawn = ContributionSecrets.draw();
      const factors = { ...drawn.factors, [name]: Uint8Array.of(first, ...new Uint8Array(31)) };
      expect(() => new ContributionSecrets(factors, drawn.nonces, drawn.keyPoints)).toThrow(
        expect.objectContaining({ code: CeremonyErrorCode.SECRET_INVALID }),
      );
    }
  });

  it('come from no beacon of another form', async () => {
    const hash = Buffer.alloc(32);
    for (const beacon of [
      { hash, iterationsExp: 9 },
      { hash, iterationsExp: 25 },
      { hash, iterationsExp: 10.5 },
      { hash: Buffer.alloc(31), iterationsExp: 10 },
    ]) {
      await expect(ContributionSecrets.fromBeacon(beacon)).rejects.toMatchObject({
        code: CeremonyErrorCode.BEACON_INVALID,
      });
    }
  });
});
