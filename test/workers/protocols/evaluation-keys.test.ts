import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSlots, encrypt } from '../../../workers/fhe/client.ts';
import {
  entryLength,
  galoisKeys,
  parseEntry,
  relinearizationKeys,
  switchingKeys,
} from '../../../workers/fhe/evaluation-keys.ts';
import { galoisElements } from '../../../workers/fhe/galois-elements.ts';
import { parsePublicKey } from '../../../workers/fhe/keys.ts';
import { serializePlaintext } from '../../../workers/fhe/plaintext.ts';
import { ProtocolErrorCode } from '../../../workers/protocols/errors.ts';
import { entriesOf, openingBytes } from '../../../workers/protocols/evaluation-keys.ts';
import type { EvaluationKeyRequest } from '../../../workers/protocols/evaluation-keys.ts';
import { galoisKeyDigit } from '../../../workers/protocols/galois-key.ts';
import { relinearizationKeyDigit } from '../../../workers/protocols/relinearization-key.ts';
import { switchingKeyDigit } from '../../../workers/protocols/switching-key.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
} from '../../../workers/protocols/user-decryption.ts';
import { add, intt, multiply, ntt, subtract } from '../../../workers/ring/arithmetic.ts';
import { automorphism } from '../../../workers/ring/automorphism.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { shareLength } from '../../../workers/sharing/opening.ts';
import { compute, gathered, sealEvaluationKeys } from '../fhe/evaluation.ts';
import type { KeyFiles } from '../fhe/evaluation.ts';
import {
  centred,
  infinityNorm,
  noiseBudget,
  sealDecrypt,
  sealKeys,
  sealSecretKey,
} from '../fhe/support.ts';
import {
  firstOpenings,
  generateKey,
  makeEntries,
  runPart,
  secretOf,
  simulate,
} from './simulation.ts';
import type { SimulatedKey, Simulation } from './simulation.ts';

const insecure = parameterSet('insecure-bfv-1024-b17');
const secure = parameterSet('bfv-8192-b20');

const relinearizationOf = ({ keyId }: SimulatedKey): EvaluationKeyRequest => ({
  kind: 'relinearization',
  keyId,
});
const galoisOf = ({ keyId }: SimulatedKey, elements: readonly number[]): EvaluationKeyRequest => ({
  kind: 'galois',
  keyId,
  elements,
});
const switchingOf = (from: SimulatedKey, to: SimulatedKey): EvaluationKeyRequest => ({
  kind: 'switching',
  keyId: from.keyId,
  targetKeyId: to.keyId,
});

/** A committee with two keys, and the files of evaluation keys that it makes. */
interface Scene {
  readonly simulation: Simulation;
  readonly key: SimulatedKey;
  readonly other: SimulatedKey;
  readonly files: Required<KeyFiles>;
  readonly switching: Uint8Array;
}

async function sceneOf(n: number, set: ParameterSet, steps: 'default' | number[]): Promise<Scene> {
  // A quorum is enough, and at n=13 it saves many seconds.
  const simulation = simulate(n, { present: 2 * ((n - 1) / 3) + 1 });
  const key = generateKey(simulation, set);
  const other = generateKey(simulation, set, 'other');
  const keys = [key, other];
  const [relinearization] = makeEntries(simulation, keys, relinearizationOf(key));
  const galois = makeEntries(simulation, keys, galoisOf(key, galoisElements(set.degree, steps)));
  const [switching] = makeEntries(simulation, keys, switchingOf(key, other));
  return {
    simulation,
    key,
    other,
    files: {
      relinearization: await gathered(relinearizationKeys(set, relinearization.entry)),
      galois: await gathered(galoisKeys(set, galois)),
    },
    switching: await gathered(switchingKeys(set, switching.entry)),
  };
}

/** The secret key in SEAL's format, as no operator ever has it. */
const secretKeyOf = ({ simulation }: Pick<Scene, 'simulation'>, key: SimulatedKey): Uint8Array =>
  sealSecretKey(key.set, ntt(basisOf(key.set), secretOf(simulation, key)));

function slotsOf(set: ParameterSet, secretKey: Uint8Array, ciphertext: Uint8Array): bigint[] {
  return decodeSlots(set, serializePlaintext(set, sealDecrypt(set, secretKey, ciphertext)));
}

/** Multiplies, relinearizes and rotates with stock SEAL. */
function product(set: ParameterSet, publicKey: Uint8Array, files: KeyFiles) {
  const left = encrypt(set, publicKey, { slots: slots(set) });
  const right = encrypt(set, publicKey, { slots: [...slots(set)].reverse() });
  return compute(set, files, ({ evaluator, relinearization, galois, load }) => {
    const multiplied = load(left);
    evaluator.multiplyInplace(multiplied, load(right));
    evaluator.relinearizeInplace(multiplied, relinearization);
    const rotated = (rotate: (ciphertext: typeof multiplied) => void) => {
      const copy = multiplied.copy();
      rotate(copy);
      return copy;
    };
    return {
      multiplied,
      left: rotated((ciphertext) => evaluator.rotateRowsInplace(ciphertext, 1, galois)),
      right: rotated((ciphertext) => evaluator.rotateRowsInplace(ciphertext, -1, galois)),
      swapped: rotated((ciphertext) => evaluator.rotateColumnsInplace(ciphertext, galois)),
    };
  });
}

/**
 * Of sums of all slots, how many a comparison of noise looks at. A sum over all automorphisms is the trace:
 * N times one coefficient of the noise, and one coefficient is near zero by luck often enough (one in 30
 * is 5 bits smaller than usual). The largest of eight is not.
 */
const sumsCompared = 8;

/** The sum of all slots in every slot, with stock SEAL and the default Galois keys. */
function sum(set: ParameterSet, ciphertext: Uint8Array, files: KeyFiles): Uint8Array {
  return compute(set, files, ({ evaluator, galois, load }) => {
    const total = load(ciphertext);
    for (let step = 1; step < set.degree / 2; step *= 2) {
      const rotated = total.copy();
      evaluator.rotateRowsInplace(rotated, step, galois);
      evaluator.addInplace(total, rotated);
      rotated.delete();
    }
    const swapped = total.copy();
    evaluator.rotateColumnsInplace(swapped, galois);
    evaluator.addInplace(total, swapped);
    swapped.delete();
    return { total };
  }).total;
}

/** A ciphertext under A as one under B. */
function switched(set: ParameterSet, ciphertext: Uint8Array, galois: Uint8Array): Uint8Array {
  return compute(set, { galois }, ({ evaluator, galois: keys, load }) => {
    const result = load(ciphertext);
    evaluator.applyGaloisInplace(result, 1, keys);
    return { result };
  }).result;
}

const slots = (set: ParameterSet): bigint[] =>
  Array.from({ length: set.degree }, (_, at) => (BigInt(at) * 37n + 5n) % set.plainModulus);

/** What `product` and `sum` come to. */
function expectations(set: ParameterSet) {
  const [all, half] = [slots(set), set.degree / 2];
  const values = all.map((slot, at) => (slot * all[all.length - 1 - at]) % set.plainModulus);
  const [top, bottom] = [values.slice(0, half), values.slice(half)];
  const rotate = (row: bigint[], step: number) => [...row.slice(step), ...row.slice(0, step)];
  return {
    multiplied: values,
    left: [...rotate(top, 1), ...rotate(bottom, 1)],
    right: [...rotate(top, half - 1), ...rotate(bottom, half - 1)],
    swapped: [...bottom, ...top],
    total: values.map(() => values.reduce((s, value) => s + value, 0n) % set.plainModulus),
  };
}

describe.each([
  { n: 4, set: insecure, steps: 'default' as const },
  { n: 7, set: insecure, steps: 'default' as const },
  { n: 10, set: insecure, steps: [1, -1, 0] },
  { n: 13, set: insecure, steps: [1, -1, 0] },
  { n: 4, set: secure, steps: 'default' as const },
])('keys of $n operators with $set.name', ({ n, set, steps }) => {
  let scene: Scene;
  let results: ReturnType<typeof product>;
  beforeAll(async () => {
    scene = await sceneOf(n, set, steps);
    results = product(set, scene.key.publicKey, scene.files);
  });

  it('let stock SEAL multiply, relinearize and rotate rows both ways and columns', () => {
    const secretKey = secretKeyOf(scene, scene.key);
    const expected = expectations(set);
    for (const name of ['multiplied', 'left', 'right', 'swapped'] as const) {
      expect(slotsOf(set, secretKey, results[name])).toEqual(expected[name]);
    }
  });

  if (steps === 'default') {
    it('let stock SEAL sum all slots', () => {
      const total = sum(set, results.multiplied, scene.files);
      expect(slotsOf(set, secretKeyOf(scene, scene.key), total)).toEqual(expectations(set).total);
    });
  }

  it('switch to another key, which decrypts, and only that one', () => {
    const result = switched(set, results.left, scene.switching);
    const expected = expectations(set).left;
    expect(slotsOf(set, secretKeyOf(scene, scene.other), result)).toEqual(expected);
    expect(slotsOf(set, secretKeyOf(scene, scene.key), result)).not.toEqual(expected);
  });

  if (n === 4) {
    it('leave a noise budget within 5 bits of that of SEAL’s own keys', () => {
      const stock = sealKeys(set);
      const stockFiles = sealEvaluationKeys(set, stock.secretKey);
      const stockResults = product(set, stock.publicKey, stockFiles);
      const budgets = (
        ciphertexts: typeof results,
        files: KeyFiles,
        publicKey: Uint8Array,
        secretKey: Uint8Array,
      ) => ({
        multiplied: noiseBudget(set, secretKey, ciphertexts.multiplied),
        left: noiseBudget(set, secretKey, ciphertexts.left),
        right: noiseBudget(set, secretKey, ciphertexts.right),
        swapped: noiseBudget(set, secretKey, ciphertexts.swapped),
        total: Math.min(
          ...Array.from({ length: sumsCompared }, () =>
            noiseBudget(set, secretKey, sum(set, product(set, publicKey, files).multiplied, files)),
          ),
        ),
      });
      const own = budgets(results, scene.files, scene.key.publicKey, secretKeyOf(scene, scene.key));
      const seals = budgets(stockResults, stockFiles, stock.publicKey, stock.secretKey);
      for (const name of Object.keys(own) as (keyof typeof own)[]) {
        expect(seals[name] - own[name]).toBeLessThanOrEqual(5);
        expect(own[name]).toBeGreaterThan(0);
      }
      // SEAL has no switching key of its own to compare with: it must cost what a rotation costs.
      const result = switched(set, results.left, scene.switching);
      const budget = noiseBudget(set, secretKeyOf(scene, scene.other), result);
      expect(seals.left - budget).toBeLessThanOrEqual(5);
    });
  }
});

describe('a computation modulo 2^32', () => {
  it('multiplies with a threshold key, and ends with one user', async () => {
    const set = parameterSet('bfv-16384-w32');
    const simulation = simulate(4, { present: 3 });
    const key = generateKey(simulation, set);
    const [{ entry }] = makeEntries(simulation, [key], relinearizationOf(key));
    const relinearization = await gathered(relinearizationKeys(set, entry));
    const [left, right] = [4_000_000_007n, 123_456_789n];
    const { result } = compute(set, { relinearization }, ({ evaluator, load, ...files }) => {
      const product = load(encrypt(set, key.publicKey, { scalar: left }));
      evaluator.multiplyInplace(product, load(encrypt(set, key.publicKey, { scalar: right })));
      evaluator.relinearizeInplace(product, files.relinearization);
      return { result: product };
    });
    const user = sealKeys(set);
    const answer = runPart(
      simulation,
      [key],
      userDecryption(simulation.session, {
        keyId: key.keyId,
        generation: 0,
        set,
        ciphertexts: [prepare(simulation.session.committee, set, result)],
        recipient: parseRecipient(set, user.publicKey),
        form: 'packed',
      }),
    ).result;
    const [product] = sealDecrypt(set, user.secretKey, answer);
    expect(product).toBe((left * right) % (1n << 32n));
  });
});

describe.each([4, 7, 10, 13])('digits of %i operators', (n) => {
  const set = insecure;
  const basis = basisOf(set);
  const simulation = simulate(n);
  const key = generateKey(simulation, set);
  const other = generateKey(simulation, set, 'other');
  const keys = [key, other];
  const [s, sB] = keys.map((each) => ntt(basis, secretOf(simulation, each)));
  const sets = BigInt(simulation.session.committee.sets.length);
  const reference = { keyId: key.keyId, generation: 0, set };

  /** b + a·target - P·source·[limb d]: the error of a digit. */
  function errorOf(bytes: Uint8Array, digit: number, target: RnsVector, source: RnsVector) {
    const { b, a } = parsePublicKey(set, bytes);
    const special = set.primes.at(-1)!;
    const term: RnsVector = new BigUint64Array(source.length);
    for (let at = digit * set.degree; at < (digit + 1) * set.degree; at++) {
      term[at] = (special * source[at]) % set.primes[digit];
    }
    const error = subtract(basis, add(basis, b, multiply(basis, a, target)), term);
    return centred(set, basis.limbs, intt(basis, error));
  }

  it.each([0, 2])(
    'encrypt what they must, with no more error than the sets add (digit %i)',
    (d) => {
      const galois = runPart(
        simulation,
        keys,
        galoisKeyDigit(simulation.session, { ...reference, element: 3 }, d),
      ).result;
      const to = { keyId: other.keyId, generation: 0 };
      const switching = runPart(
        simulation,
        keys,
        switchingKeyDigit(simulation.session, { from: reference, to, set }, d),
      ).result;
      for (const error of [
        errorOf(galois, d, s, automorphism(basis, s, 3)),
        errorOf(switching, d, sB, s),
      ]) {
        expect(infinityNorm(error)).toBeGreaterThan(0n);
        expect(infinityNorm(error)).toBeLessThanOrEqual(21n * sets);
      }

      const relinearization = runPart(
        simulation,
        keys,
        relinearizationKeyDigit(simulation.session, reference, d),
      ).result;
      const error = errorOf(relinearization, d, s, multiply(basis, s, s));
      // s·e0 + u·e1 + e2 with |s|, |u| ≤ C and |e| ≤ 21·C.
      const bound = 2n * BigInt(set.degree) * sets * 21n * sets + 21n * sets;
      expect(infinityNorm(error)).toBeGreaterThan(21n * sets);
      expect(infinityNorm(error)).toBeLessThanOrEqual(bound);
    },
  );
});

describe('evaluation keys', () => {
  const set = parameterSet('insecure-bfv-1024');
  const simulation = simulate(4);
  const { session } = simulation;
  const key = generateKey(simulation, set);
  const other = generateKey(simulation, set, 'other');
  const keys = [key, other];
  const elements = galoisElements(set.degree, [1, -1, 0]);
  const requests = [
    relinearizationOf(key),
    relinearizationOf(other),
    galoisOf(key, elements),
    galoisOf(other, elements),
    switchingOf(key, other),
    switchingOf(other, key),
  ];
  const entries = (request: EvaluationKeyRequest) => entriesOf(session, request, set, () => 0);
  const blobOf = (entry: Uint8Array[]): Uint8Array => Buffer.concat(entry);

  it('are entries, one or one per element, in the order asked for', () => {
    for (const request of requests) {
      const expected = request.kind === 'galois' ? request.elements : [0];
      expect(entries(request).map(({ element }) => element)).toEqual(expected);
      for (const { entry } of makeEntries(simulation, keys, request)) {
        expect(blobOf(entry)).toHaveLength(entryLength(set));
        expect(parseEntry(set, blobOf(entry))).toHaveLength(set.primes.length - 1);
      }
    }
  });

  it('open as many bytes as they say', () => {
    for (const request of requests) {
      const openings = entries(request).flatMap((entry) =>
        Array.from({ length: entry.digits }, (_, d) =>
          runPart(simulation, keys, entry.digit(d)).rounds.flat(),
        ).flat(),
      );
      const residues = openings.reduce((all, { opening }) => all + shareLength(opening.shape), 0);
      expect(openingBytes(request, set)).toBe(8 * residues);
    }
  });

  it('never use an opening id, a public polynomial or an error twice', () => {
    const ids: string[] = [];
    const publics: string[] = [];
    const values: string[] = [];
    const secret = (id: string) => ntt(basisOf(set), secretOf(simulation, keyWith(id)));
    const keyWith = (id: string) => keys.find(({ keyId }) => keyId === id)!;
    for (const request of requests) {
      const target = request.kind === 'switching' ? request.targetKeyId : request.keyId;
      for (const entry of entries(request)) {
        for (let d = 0; d < entry.digits; d++) {
          const { result, rounds } = runPart(simulation, keys, entry.digit(d));
          ids.push(...rounds.flat().map(({ opening }) => opening.id));
          const { b, a } = parsePublicKey(set, result);
          publics.push(Buffer.from(a.buffer, a.byteOffset, a.byteLength).toString('hex'));
          const basis = basisOf(set);
          const rest = add(basis, b, multiply(basis, a, secret(target)));
          // The special limb has no P·s' term: it is the error alone.
          const special = rest.subarray((basis.limbs - 1) * set.degree);
          values.push([...special].join());
        }
      }
    }
    for (const list of [ids, publics, values]) expect(new Set(list).size).toBe(list.length);
  });

  it('asked twice, in another list or after a restart, have the same bytes and shares', () => {
    const again = simulate(4);
    const sameKeys = [generateKey(again, set), generateKey(again, set, 'other')];
    const [first] = makeEntries(simulation, keys, galoisOf(key, [elements[1]]));
    const second = makeEntries(again, sameKeys, galoisOf(sameKeys[0], elements))[1];
    expect(blobOf(second.entry)).toEqual(blobOf(first.entry));
    for (const request of [relinearizationOf(key), switchingOf(key, other)]) {
      const run = (which: Simulation, whose: SimulatedKey[]) =>
        runPart(which, whose, entriesOf(which.session, request, set, () => 0)[0].digit(1)).rounds;
      const [before, after] = [run(simulation, keys), run(again, sameKeys)];
      expect(after.map(([{ shares }]) => shares)).toEqual(before.map(([{ shares }]) => shares));
      expect(after.map(([{ opening }]) => opening.id)).toEqual(
        before.map(([{ opening }]) => opening.id),
      );
    }
  });

  it('depend on everything in the session, and on the generations of their shares', () => {
    const word = `0x${'77'.repeat(32)}` as const;
    const sessions = [
      session,
      { ...session, chainId: 1n },
      { ...session, gateway: `0x${'77'.repeat(20)}` as const },
      { ...session, epochId: word },
      { ...session, setupDigest: word },
    ];
    for (const request of [requests[0], requests[2], requests[4]]) {
      const idOf = (which: typeof session, generation: number) => {
        const part = entriesOf(which, request, set, () => generation)[0].digit(0);
        return firstOpenings(part)[0].id;
      };
      const ids = sessions.map((which) => idOf(which, 0));
      ids.push(idOf(session, 1));
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  const failing = (code: ProtocolErrorCode) => expect.objectContaining({ code }) as Error;
  const reference = { keyId: key.keyId, generation: 0, set };
  const to = { keyId: other.keyId, generation: 0 };

  it.each([-1, 3, 0.5, Number.NaN, 2 ** 32])('have no digit %d', (digit) => {
    const calls = [
      () => relinearizationKeyDigit(session, reference, digit),
      () => galoisKeyDigit(session, { ...reference, element: 3 }, digit),
      () => switchingKeyDigit(session, { from: reference, to, set }, digit),
    ];
    for (const call of calls) expect(call).toThrow(failing(ProtocolErrorCode.DIGIT_OUT_OF_RANGE));
  });

  it.each([0, 1, 2, 4, -3, 2048, 2049, 2 ** 32 + 3, 3.5, Number.NaN])(
    'have no Galois element %d',
    (element) => {
      expect(() => galoisKeyDigit(session, { ...reference, element }, 0)).toThrow(
        failing(ProtocolErrorCode.GALOIS_ELEMENT_INVALID),
      );
      const [entry] = entries(galoisOf(key, [element]));
      expect(() => entry.digit(0)).toThrow(failing(ProtocolErrorCode.GALOIS_ELEMENT_INVALID));
    },
  );

  it('switch no key to itself, however its id is written', () => {
    const itself = { ...to, keyId: key.keyId.toUpperCase().replace('X', 'x') as `0x${string}` };
    expect(() => switchingKeyDigit(session, { from: reference, to: itself, set }, 0)).toThrow(
      failing(ProtocolErrorCode.SWITCHING_TO_ITSELF),
    );
  });

  it('use no key share of another generation or parameter set', () => {
    const foreign = generateKey(simulation, insecure, 'foreign');
    const later = (keyId: typeof key.keyId) => (keyId === other.keyId ? 1 : 0);
    const cases: [
      EvaluationKeyRequest,
      readonly SimulatedKey[],
      (id: typeof key.keyId) => number,
    ][] = [
      [requests[0], keys, () => 1],
      [requests[2], keys, () => 1],
      [requests[4], keys, later],
      [requests[5], keys, later],
      [switchingOf(key, foreign), [key, foreign], () => 0],
      [switchingOf(foreign, key), [key, foreign], () => 0],
    ];
    for (const [request, shares, generationOf] of cases) {
      const [entry] = entriesOf(session, request, set, generationOf);
      expect(() => runPart(simulation, shares, entry.digit(0))).toThrow(
        failing(ProtocolErrorCode.KEY_SHARE_MISMATCH),
      );
    }
  });

  it('are not made of values that no opening gives', () => {
    const { rounds } = runPart(simulation, keys, relinearizationKeyDigit(session, reference, 0));
    const [first, second] = rounds.map(([{ value }]) => value);
    const above = second.slice();
    above[0] += set.primes[0];
    const answers: [number, RnsVector[]][] = [
      [0, []],
      [0, [first, first]],
      [0, [second]],
      [0, [first.map((residue, at) => residue + (at === 0 ? set.primes[0] : 0n))]],
      [1, [first]],
      [1, [above]],
    ];
    for (const [round, values] of answers) {
      const part = relinearizationKeyDigit(session, reference, 0);
      part.next();
      if (round === 1) part.next([first]);
      expect(() => part.next(values)).toThrow(failing(ProtocolErrorCode.VALUE_MISMATCH));
    }
  });
});
