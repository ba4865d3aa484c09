import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSlots, encrypt } from '../../../workers/fhe/client.ts';
import * as keyGeneration from '../../../workers/protocols/key-generation.ts';
import * as publicDecryption from '../../../workers/protocols/public-decryption.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { conducts } from '../../twins/index.ts';
import { decryptionShares, generateKey, received, simulate } from './simulation.ts';
import type { Conducts, SimulatedKey, Simulation } from './simulation.ts';

const set = parameterSet('insecure-bfv-1024');
const slots = Array.from({ length: set.degree }, (_, at) => BigInt(at) % set.plainModulus);
const lies = ['garbage', 'wrong-length', 'shifted', 'replayed'];
const tooFew = expect.objectContaining({ code: SharingErrorCode.TOO_FEW_AGREEING }) as Error;

interface Scene {
  readonly simulation: Simulation;
  readonly key: SimulatedKey;
  readonly opening: publicDecryption.PublicDecryption;
  readonly shares: ReadonlyMap<number, RnsVector>;
  /** Shares of another ciphertext, for who replays. */
  readonly previous: ReadonlyMap<number, RnsVector>;
}

function sceneOf(n: number, positions?: readonly number[]): Scene {
  const simulation = simulate(n);
  const key = generateKey(simulation, set);
  const earlier = encrypt(set, key.publicKey, { slots: [1n] });
  const ciphertext = encrypt(set, key.publicKey, { slots });
  return {
    simulation,
    key,
    ...decryptionShares(simulation, key, ciphertext, positions),
    previous: decryptionShares(simulation, key, earlier, positions).shares,
  };
}

/** What operator `to` opens when the twins behave so towards it. */
function openAs(scene: Scene, to: number, twins: Conducts) {
  const arrived = received(scene.opening, scene.shares, to, twins, scene.previous);
  const { value, faulty } = publicDecryption.open(scene.opening, arrived);
  const [decryption] = publicDecryption.finish(scene.opening, value);
  return { faulty, ...decryption };
}

describe('four different twins among thirteen', () => {
  let scene: Scene;
  beforeAll(() => {
    scene = sceneOf(13);
  });

  it.each([
    { names: ['silent', 'garbage', 'wrong-length', 'shifted'], at: [1, 2, 3, 4] },
    { names: ['replayed', 'equivocating', 'shifted', 'garbage'], at: [1, 5, 9, 13] },
    { names: ['shifted', 'shifted', 'equivocating', 'silent'], at: [2, 3, 4, 12] },
  ])('$names at $at change nothing and are named', ({ names, at }) => {
    const twins: Conducts = new Map(at.map((index, place) => [index, conducts[names[place]]]));
    const honestIndices = scene.simulation.indices.filter((index) => !twins.has(index));
    for (const to of honestIndices) {
      const { plaintext, faulty } = openAs(scene, to, twins);
      expect(decodeSlots(set, plaintext!)).toEqual(slots);
      const lying = at.filter((_, place) => {
        const name = names[place];
        return name !== 'silent' && !(name === 'equivocating' && to % 2 === 1);
      });
      expect(faulty).toEqual(lying);
    }
  });
});

describe.each([4, 7, 10, 13])('%i operators', (n) => {
  const t = (n - 1) / 3;
  let whole: Scene;
  let scalar: Scene;
  beforeAll(() => {
    whole = sceneOf(n);
    scalar = sceneOf(n, [0, 3]);
  });

  it.each(lies)('open in spite of t operators that are %s', (name) => {
    // Operator 1, the first that a naive decoder would trust, is among the liars.
    const twins: Conducts = new Map(
      Array.from({ length: t }, (_, at) => [1 + 2 * at, conducts[name]]),
    );
    expect(decodeSlots(set, openAs(whole, n, twins).plaintext!)).toEqual(slots);
    expect(openAs(whole, n, twins).faulty).toEqual([...twins.keys()]);
    expect(openAs(scalar, n, twins).faulty).toEqual([...twins.keys()]);
  });

  it.each([...lies, 'silent'])('open nothing when t+1 are %s', (name) => {
    const twins: Conducts = new Map(
      Array.from({ length: t + 1 }, (_, at) => [at + 1, conducts[name]]),
    );
    expect(() => openAs(whole, n, twins)).toThrow(tooFew);
    expect(() => openAs(scalar, n, twins)).toThrow(tooFew);
  });

  it('open nothing, or the right value, with any number of shifted shares that agree', () => {
    for (let liars = t + 1; liars <= 2 * t; liars++) {
      const twins: Conducts = new Map(
        Array.from({ length: liars }, (_, at) => [at + 1, conducts['shifted']]),
      );
      expect(() => openAs(scalar, n, twins)).toThrow(tooFew);
    }
  });
});

describe('key generation with twins', () => {
  it('gives every honest operator the honest key', () => {
    const simulation = simulate(7);
    const key = generateKey(simulation, set);
    const { session } = simulation;
    const opening = keyGeneration.describe(session, { keyId: key.keyId, set });
    const twins: Conducts = new Map([
      [2, conducts['equivocating']],
      [6, conducts['garbage']],
    ]);
    for (const to of [1, 3, 4, 5, 7]) {
      const { value, faulty } = keyGeneration.open(
        opening,
        received(opening, key.shares, to, twins),
      );
      expect(keyGeneration.finish(opening, value).digest).toBe(key.digest);
      expect(faulty).toEqual(to % 2 === 1 ? [6] : [2, 6]);
    }
  });
});
