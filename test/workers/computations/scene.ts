import type { Hex } from 'viem';
import { keysNeeded } from '../../../workers/computations/keys.ts';
import type { NeededKey } from '../../../workers/computations/keys.ts';
import type { NoiseAtLevel } from '../../../workers/computations/noise.ts';
import type { Program, Step } from '../../../workers/computations/program.ts';
import { runProgram } from '../../../workers/computations/program.ts';
import { firstLimbs } from '../../../workers/fhe/ciphertext.ts';
import { encrypt } from '../../../workers/fhe/client.ts';
import { freshNoiseBound } from '../../../workers/fhe/noise-growth.ts';
import type { EvaluationKeyRequest } from '../../../workers/protocols/evaluation-keys.ts';
import { ntt } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import type { Committee } from '../../../workers/sharing/committee.ts';
import { phase, polynomialsOf, sealSecretKey, sealSwitch } from '../fhe/support.ts';
import { generateKey, makeEntries, secretOf, simulate } from '../protocols/simulation.ts';
import type { SimulatedKey } from '../protocols/simulation.ts';
import { seededNumbers } from './random-program.ts';

/** A committee of four with two keys: one of results, and one that is switched to it. */
export interface Scene {
  readonly set: ParameterSet;
  readonly committee: Committee;
  readonly key: SimulatedKey;
  readonly other: SimulatedKey;
  /** Makes an entry the first time it is asked for. */
  readonly entryOf: (key: NeededKey) => Uint8Array;
  /** Of `key`: SEAL's object, and in NTT form over all primes. */
  readonly secretKey: Uint8Array;
  readonly secret: RnsVector;
}

export function sceneOf(set: ParameterSet): Scene {
  const simulation = simulate(4, { present: 3 });
  const key = generateKey(simulation, set);
  const other = generateKey(simulation, set, 'other');
  const made = new Map<string, Uint8Array>();
  const entryOf = (needed: NeededKey): Uint8Array => {
    const name = JSON.stringify(needed);
    let entry = made.get(name);
    if (entry === undefined) {
      const request: EvaluationKeyRequest =
        needed.kind === 'galois' ? { ...needed, elements: [needed.element] } : needed;
      const [{ entry: parts }] = makeEntries(simulation, [key, other], request);
      entry = new Uint8Array(Buffer.concat(parts));
      made.set(name, entry);
    }
    return entry;
  };
  const secret = ntt(basisOf(set), secretOf(simulation, key));
  const { committee } = simulation.session;
  const secretKey = sealSecretKey(set, secret);
  return { set, committee, key, other, entryOf, secretKey, secret };
}

/** An encrypted input: what it is of, how noisy it can be, and what it has in its slots. */
export interface Input extends NoiseAtLevel {
  readonly keyId: Hex;
  readonly ciphertext: Uint8Array;
  readonly values: readonly bigint[];
}

/** Values in all slots, or one number, from a seed; encrypted by SEAL, then switched down. */
export function inputOf(
  { set, committee }: Scene,
  { keyId, publicKey }: SimulatedKey,
  seed: string,
): Input {
  const below = seededNumbers(seed);
  const count = set.batching ? set.degree : 1;
  const values = Array.from({ length: count }, () => BigInt(below(2 ** 32)) % set.plainModulus);
  const ciphertext = encrypt(
    set,
    publicKey,
    set.batching ? { slots: values } : { scalar: values[0] },
  );
  const noise = freshNoiseBound(set, committee);
  return { keyId, ciphertext, values, limbs: firstLimbs(set), noise };
}

/** The same input at a level below. */
export function lowered({ set }: Scene, input: Input, limbs: number, noise: bigint): Input {
  return { ...input, ciphertext: sealSwitch(set, input.ciphertext, limbs), limbs, noise };
}

/** The entries that a program needs, by name: for who computes in another thread or process. */
export function entriesFor(
  scene: Scene,
  program: Program,
  inputs: readonly Input[],
): Map<string, Uint8Array> {
  const keys = { inputs: inputs.map(({ keyId }) => keyId), result: scene.key.keyId };
  const needed = keysNeeded(scene.set, program, keys);
  return new Map(needed.map((key) => [JSON.stringify(key), scene.entryOf(key)]));
}

/** What a program makes of slots, or of one number, modulo t. */
export function plainResult(
  { plainModulus: t }: ParameterSet,
  program: Program,
  inputs: readonly (readonly bigint[])[],
): bigint[] {
  const reduced = (value: bigint): bigint => ((value % t) + t) % t;
  return runProgram<bigint[]>(
    program,
    inputs.map((values) => [...values]),
    (step, [left, right]) => plainStep(step, left, right).map(reduced),
  );
}

function plainStep(step: Step, left: readonly bigint[], right: readonly bigint[]): bigint[] {
  const row = left.length / 2;
  switch (step.operation) {
    case 'add':
      return left.map((value, at) => value + right[at]);
    case 'subtract':
      return left.map((value, at) => value - right[at]);
    case 'multiply':
      return left.map((value, at) => value * right[at]);
    case 'negate':
      return left.map((value) => -value);
    case 'addScalar':
      return left.map((value) => value + step.scalar);
    case 'multiplyScalar':
      return left.map((value) => value * step.scalar);
    case 'swapRows':
      return [...left.slice(row), ...left.slice(0, row)];
    case 'rotateRows':
      return left.map((_, at) => {
        const start = at < row ? 0 : row;
        return left[start + ((at - start + step.steps + row) % row)];
      });
    case 'switchDown':
    case 'switchKey':
      return [...left];
  }
}

/** t·v for the noise v of a ciphertext under the scene's key: exact, at every coefficient. */
export function scaledNoise(
  { set, secret }: Scene,
  limbs: number,
  ciphertext: Uint8Array,
): bigint[] {
  const modulus = set.primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
  const data = secret.slice(0, limbs * set.degree);
  return phase(set, limbs, polynomialsOf(set, limbs, ciphertext), data).map((value) => {
    const rest = (((set.plainModulus * value) % modulus) + modulus) % modulus;
    return 2n * rest > modulus ? rest - modulus : rest;
  });
}
