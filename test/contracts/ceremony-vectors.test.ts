import { readFile } from 'node:fs/promises';
import {
  decodeAbiParameters,
  encodeAbiParameters,
  keccak256,
  zeroAddress,
  zeroHash,
  type Hex,
} from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import {
  FlawKind,
  initialState,
  proveUpdate,
  stateHash,
  stateParameter,
  type Factors,
  type Leaf,
} from './support/ceremony.ts';
import { activateEpoch } from './support/epoch.ts';
import { connectChain, deployGateway, type DeployedGateway } from './support/gateway.ts';

type Words = Record<keyof Factors, Hex>;

interface Vectors {
  chainId: string;
  crsManager: Hex;
  ceremonyId: Hex;
  contributions: {
    index: number;
    previousHash: Hex;
    state: { encoded: Hex; hash: Hex };
    secrets: Words;
    nonces: Words;
    proof: Words & { challenge: Hex };
    contributionId: Hex;
    result: Hex;
  }[];
  flaws: Shown[];
  sound: Shown[];
}

/** A flaw, or what looks like one. */
interface Shown {
  what: string;
  state: { encoded: Hex; hash: Hex };
  kind: keyof typeof kinds;
  section: number;
  place: number;
  leaves: Leaf[];
}

const kinds = {
  'wrong-points': FlawKind.points,
  'malformed-leaf': FlawKind.malformed,
  'wrong-start': FlawKind.start,
  'wrong-neighbours': FlawKind.neighbours,
};

const decode = (encoded: Hex) => decodeAbiParameters([stateParameter], encoded)[0];
const numbers = ({ tau, alpha, beta }: Words): Factors => ({
  ...{ tau: BigInt(tau), alpha: BigInt(alpha), beta: BigInt(beta) },
});

/** The contracts agree with the reference of workers/ceremony on its vectors. */
describe('vectors of ceremonies', () => {
  let vectors: Vectors;
  let gateway: DeployedGateway;
  let epochId: Hex;

  beforeAll(async () => {
    const file = new URL('../vectors/ceremony.json', import.meta.url);
    vectors = JSON.parse(await readFile(file, 'utf8')) as Vectors;
    const chain = await connectChain();
    gateway = await deployGateway(chain);
    ({ epochId } = await activateEpoch(chain, gateway, 4, zeroHash));
  });

  test('states, ids and proofs of contributions', () => {
    const { crsManager, ceremonyId, contributions } = vectors;
    const chainId = BigInt(vectors.chainId);
    let previous = initialState();
    for (const { index, previousHash, state, secrets, nonces, ...expected } of contributions) {
      const next = decode(state.encoded);
      expect(stateHash(next)).toBe(state.hash);
      expect(stateHash(previous)).toBe(previousHash);
      const step = { chainId, crsManager, ceremonyId, index };
      const proof = proveUpdate(step, previous, next, numbers(secrets), numbers(nonces));
      const { challenge, ...responses } = expected.proof;
      expect(proof).toEqual({ challenge: BigInt(challenge), ...numbers(responses) });
      const layout = [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint8' }] as const;
      const id = keccak256(encodeAbiParameters(layout, [ceremonyId, previousHash, index]));
      expect(id).toBe(expected.contributionId);
      previous = next;
    }
  });

  test('flaws are wrong, and what is sound is not', async () => {
    expect(vectors.flaws.length).toBeGreaterThan(30);
    for (const shown of vectors.flaws)
      await expect(judge(shown), shown.what).resolves.toBeDefined();
    for (const shown of vectors.sound)
      await expect(judge(shown), shown.what).rejects.toThrow('SlashingManagerNoFlaw');
  });

  /** Nobody is accused: it is about the state. */
  function judge({ state, kind, section, place, leaves }: Shown) {
    const flaw = { kind: kinds[kind], section, place, leaves };
    return gateway.slashingManager.simulate.proveWrongContribution([
      ...([epochId, vectors.ceremonyId, zeroHash, decode(state.encoded), flaw] as const),
      ...([[], zeroAddress] as const),
    ]);
  }
});
