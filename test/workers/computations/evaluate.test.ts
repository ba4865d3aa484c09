import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { ComputationErrorCode as Code } from '../../../workers/computations/errors.ts';
import { evaluate } from '../../../workers/computations/evaluate.ts';
import { compileExpression } from '../../../workers/computations/expression.ts';
import { serializeProgram } from '../../../workers/computations/format.ts';
import { listingOf } from '../../../workers/computations/listing.ts';
import { noiseOfProgram } from '../../../workers/computations/noise.ts';
import type { Program, Step } from '../../../workers/computations/program.ts';
import { parseCiphertext, serializeCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { decodeCoefficients, decodeSlots, decrypt } from '../../../workers/fhe/client.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { noiseAfterSwitching } from '../../../workers/fhe/noise-growth.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { infinityNorm } from '../fhe/support.ts';
import type { Task } from './elsewhere.ts';
import type { RandomOptions } from './random-program.ts';
import { randomProgram, seededNumbers } from './random-program.ts';
import { entriesFor, inputOf, lowered, plainResult, scaledNoise, sceneOf } from './scene.ts';
import type { Input, Scene } from './scene.ts';
import { errorOf, failing, handleOf, programOf } from './support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Computes, and compares with what plaintexts and noise bounds say. */
function check(scene: Scene, program: Program, inputs: readonly Input[]): void {
  const { set, committee, key, entryOf, secretKey } = scene;
  const result = evaluate(set, program, { inputs, resultKey: key.keyId, entryOf });
  const parsed = parseCiphertext(set, result);
  expect(hex(serializeCiphertext(set, parsed))).toBe(hex(result));
  const { limbs, noise } = noiseOfProgram(set, committee, program, inputs);
  expect(parsed.limbs).toBe(limbs);
  const measured = infinityNorm(scaledNoise(scene, limbs, result));
  expect(measured).toBeLessThanOrEqual(set.plainModulus * noise);
  const plaintext = decrypt(set, secretKey, result);
  const found = set.batching
    ? decodeSlots(set, plaintext)
    : [decodeCoefficients(set, plaintext)[0]];
  const values = inputs.map((input) => input.values);
  expect(found).toEqual(plainResult(set, program, values));
}

/** Checks random programs. */
function checkAll(
  scene: Scene,
  seeds: readonly string[],
  options: (number: number) => RandomOptions,
): void {
  seeds.forEach((seed, number) => {
    const program = randomProgram(seed, options(number));
    check(scene, program, inputsFor(scene, seed, options(number)));
  });
}

const seedsOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${name}/${number}`);

/** Inputs at the first level, or at some level with room, as the seed says. */
function inputsFor(scene: Scene, seed: string, { rekeyed = false, levels = true } = {}): Input[] {
  const below = seededNumbers(`${seed}/inputs`);
  return [0, 1, 2].map((at) => {
    const key = rekeyed && at === 0 ? scene.other : scene.key;
    const input = inputOf(scene, key, `${seed}/${at}`);
    if (!levels || below(3) > 0) return input;
    const { limbs } = input;
    const noise = noiseAfterSwitching(scene.set, scene.committee, input.noise, limbs, limbs - 1);
    return lowered(scene, input, limbs - 1, noise);
  });
}

describe('a program at insecure-bfv-1024-b17', () => {
  const set = parameterSet('insecure-bfv-1024-b17');
  let scene: Scene;
  let a: Input;
  let b: Input;
  beforeAll(() => {
    scene = sceneOf(set);
    a = inputOf(scene, scene.key, 'a');
    b = inputOf(scene, scene.key, 'b');
  });
  const names = { a: handleOf(1), b: handleOf(2) };
  const run = (program: Program, inputs: readonly Input[], resultKey = scene.key.keyId) =>
    evaluate(set, program, { inputs, resultKey, entryOf: scene.entryOf });

  it('computes what it says, with less noise than it may have, whichever it is', () => {
    checkAll(scene, seedsOf('differential', 60), (number) => ({
      rekeyed: number % 3 === 0,
      products: 1 + (number % 2),
    }));
  });

  const steps: Step[] = [
    { operation: 'add', left: 0, right: 1 },
    { operation: 'add', left: 0, right: 0 },
    { operation: 'subtract', left: 1, right: 0 },
    { operation: 'multiply', left: 0, right: 1 },
    { operation: 'multiply', left: 0, right: 0 },
    { operation: 'negate', of: 0 },
    { operation: 'swapRows', of: 0 },
    ...[1, -1, 511, -511, 100].map((steps): Step => ({ operation: 'rotateRows', of: 0, steps })),
    ...[1n, -1n, 60416n, 60417n, -60416n, -60417n, set.plainModulus - 1n].flatMap(
      (scalar): Step[] => [
        { operation: 'addScalar', of: 0, scalar },
        { operation: 'multiplyScalar', of: 0, scalar },
      ],
    ),
    { operation: 'switchDown', of: 0 },
  ];
  const single = steps.map((step) => {
    const program = programOf('right' in step && step.left !== step.right ? 2 : 1, step);
    return {
      listing: listingOf(program, program.inputs.length === 2 ? names : { a: names.a }),
      step,
      program,
    };
  });
  it.each(single)('of one step, at every level with room: $listing', ({ step, program }) => {
    for (const limbs of [4, 3, ...(step.operation === 'multiply' ? [] : [2])]) {
      const inputs = [a, b]
        .slice(0, program.inputs.length)
        .map((input) =>
          lowered(
            scene,
            input,
            limbs,
            noiseAfterSwitching(set, scene.committee, input.noise, input.limbs, limbs),
          ),
        );
      check(scene, program, inputs);
    }
  });

  it('has the same bytes in another thread, in another process and a second time', async () => {
    const program = randomProgram('elsewhere', { rekeyed: true });
    const inputs = inputsFor(scene, 'elsewhere', { rekeyed: true });
    const entries = entriesFor(scene, program, inputs);
    const resultKey = scene.key.keyId;
    const task: Task = {
      ...{ set: set.name, program: serializeProgram(program), inputs, resultKey, entries },
    };
    const here = hex(run(program, inputs));
    expect(hex(run(program, inputs))).toBe(here);

    const file = new URL('./elsewhere.ts', import.meta.url);
    const thread = new Worker(file);
    thread.postMessage(task);
    const [inThread] = (await once(thread, 'message')) as [Uint8Array];
    await thread.terminate();
    expect(hex(inThread)).toBe(here);

    const child = fork(file, { serialization: 'advanced' });
    child.send(task);
    const [inProcess] = (await once(child, 'message')) as [Uint8Array];
    expect(hex(inProcess)).toBe(here);
  });

  it.each([
    ['a - a', 0],
    ['x = a + 1; x*2 - x*2', 2],
    ['a * 1000 + a * -1000', 2],
    ['a * 60416 + a * 60417', 2],
  ])('%s is refused: its result would hide nothing', (text, step) => {
    const error = errorOf(() => run(compileExpression(text, { a: names.a }), [a]));
    expect([error?.code, error?.metadata.step]).toEqual([Code.TRANSPARENT, step]);
  });

  it('computes under one key at a time, and ends under the key of the result', () => {
    const foreign = inputOf(scene, scene.other, 'foreign');
    const refused = (text: string, inputs: readonly Input[], resultKey = scene.key.keyId) =>
      expect(() =>
        run(
          compileExpression(text, inputs.length === 2 ? names : { a: names.a }),
          inputs,
          resultKey,
        ),
      ).toThrow(failing(Code.KEYS_MISMATCH));
    refused('a + b', [a, foreign]);
    refused('rekey(a) + b', [a, foreign]);
    refused('rekey(a) + b', [a, b]);
    refused('a + 1', [foreign]);
    refused('a + 1', [a], scene.other.keyId);
    refused('rekey(rekey(a))', [foreign]);
  });

  it('multiplies and rotates under the key that its operands have', () => {
    const foreign = inputOf(scene, scene.other, 'foreign');
    check(scene, compileExpression('rekey(rotate(a*a, 1)) + b', names), [foreign, b]);
  });

  it('goes no further down than the last level', () => {
    const program = compileExpression('down(down(down(a)))', { a: names.a });
    const last = run(program, [a]);
    expect(parseCiphertext(set, last).limbs).toBe(1);
    const further = compileExpression('down(a)', { a: names.a });
    expect(() => run(further, [{ ...a, ciphertext: last }])).toThrow(failing(Code.LEVEL_EXHAUSTED));
  });

  it('takes one ciphertext for each input, and only canonical ones', () => {
    const program = compileExpression('a + b', names);
    for (const inputs of [[], [a], [a, b, b]]) {
      expect(() => run(program, inputs)).toThrow(failing(Code.INPUTS_MISMATCH));
    }
    const short = { ...b, ciphertext: b.ciphertext.subarray(1) };
    expect(() => run(program, [a, short])).toThrow(
      expect.objectContaining({ code: FheErrorCode.HEADER_INVALID }),
    );
  });

  it('takes no entry of another length, and none that SEAL does not load', () => {
    const program = compileExpression('a * b', names);
    const evaluated = (edit: (entry: Uint8Array) => Uint8Array) => () =>
      evaluate(set, program, {
        inputs: [a, b],
        resultKey: scene.key.keyId,
        entryOf: (key) => edit(scene.entryOf(key).slice()),
      });
    const failing = (code: FheErrorCode) => expect.objectContaining({ code }) as Error;
    const long = evaluated((entry) => Buffer.concat([entry, Buffer.alloc(1)]));
    expect(long).toThrow(failing(FheErrorCode.TRAILING_BYTES));
    expect(evaluated((entry) => entry.subarray(1))).toThrow(failing(FheErrorCode.TRUNCATED));
    expect(evaluated((entry) => entry.fill(0xff, 1000))).toThrow(failing(FheErrorCode.SEAL_FAILED));
    check(scene, program, [a, b]);
  });
});

describe('a program with keys as they are used', () => {
  it('computes what it says at bfv-8192-b20', () => {
    const scene = sceneOf(parameterSet('bfv-8192-b20'));
    checkAll(scene, seedsOf('8192', 4), (number) => ({
      ...{ rekeyed: number === 0, rotations: [1], steps: 10 },
    }));
  });

  it.each(['bfv-8192-w16', 'bfv-8192-w32'])(
    'computes with numbers that wrap around at %s',
    (name) => {
      const set = parameterSet(name);
      const scene = sceneOf(set);
      // A product modulo 2^32 has room at the first level only.
      const options = { slots: false, steps: 10, levels: name !== 'bfv-8192-w32' };
      checkAll(scene, seedsOf(name, 5), () => options);
      const half = set.plainModulus / 2n;
      const [a] = inputsFor(scene, name, { levels: false });
      for (const scalar of [half, -half, half - 1n, half + 1n, 1n - set.plainModulus]) {
        check(scene, programOf(1, { operation: 'multiplyScalar', of: 0, scalar }), [a]);
        check(scene, programOf(1, { operation: 'addScalar', of: 0, scalar }), [a]);
      }
    },
  );
});
