import { encodeAbiParameters, hexToBytes, keccak256, parseAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { encrypt } from '../../../workers/fhe/client.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { serializePublicKey } from '../../../workers/fhe/keys.ts';
import { ProtocolErrorCode } from '../../../workers/protocols/errors.ts';
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
  ntt,
} from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { Operation, Role, itemId, itemPrefix } from '../../../workers/sharing/ids.ts';
import type { Distribution } from '../../../workers/sharing/prss.ts';
import { centred, secretNtt, sealDecrypt, sealKeys, sealSwitch } from '../fhe/support.ts';
import { firstOpenings, generateKey, runPart, simulate } from './simulation.ts';
import type { SimulatedKey, Simulation } from './simulation.ts';

const insecure = parameterSet('insecure-bfv-1024');
const secure = parameterSet('bfv-8192-b20');
const wrapping = parameterSet('bfv-8192-w16');

interface User {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly recipient: Recipient;
}

function userOf(set: ParameterSet): User {
  const keys = sealKeys(set);
  return { ...keys, recipient: parseRecipient(set, keys.publicKey) };
}

/** Runs a user decryption, and gives the answer and the openings of h0 and h1. */
function answer(
  simulation: Simulation,
  key: SimulatedKey,
  ciphertexts: readonly DecryptionInput[],
  recipient: Recipient,
  form: 'full' | 'packed',
) {
  const { keyId, set } = key;
  const request = { keyId, generation: 0, set, ciphertexts, recipient, form };
  const { result, rounds } = runPart(
    simulation,
    [key],
    userDecryption(simulation.session, request),
  );
  const [[h0, h1]] = rounds;
  return { result, h0, h1, rounds };
}

describe.each([
  { set: insecure, n: 4 },
  { set: insecure, n: 7 },
  { set: insecure, n: 10 },
  { set: insecure, n: 13 },
  { set: secure, n: 4 },
  { set: secure, n: 13 },
  { set: wrapping, n: 4 },
])('a user of $n operators with $set.name', ({ set, n }) => {
  let simulation: Simulation;
  let key: SimulatedKey;
  let user: User;
  beforeAll(() => {
    simulation = simulate(n, { present: 2 * ((n - 1) / 3) + 1 });
    key = generateKey(simulation, set);
    user = userOf(set);
  });
  const prepared = (scalar: bigint): DecryptionInput =>
    prepare(simulation.session.committee, set, encrypt(set, key.publicKey, { scalar }));

  it('decrypts all of a ciphertext with stock SEAL', () => {
    const values = Array.from({ length: set.degree }, (_, at) => BigInt(at) % set.plainModulus);
    const plain = set.batching ? { slots: values } : { scalar: set.plainModulus - 1n };
    const ciphertext = encrypt(set, key.publicKey, plain);
    const input = prepare(simulation.session.committee, set, ciphertext);
    const { result } = answer(simulation, key, [input], user.recipient, 'full');
    // SEAL encodes and encrypts the same under the user's key: same coefficients.
    const expected = sealDecrypt(set, user.secretKey, encrypt(set, user.publicKey, plain));
    expect(sealDecrypt(set, user.secretKey, result)).toEqual(expected);
    expect(parseCiphertext(set, result).limbs).toBe(input.limbs);
  });

  it('decrypts scalars of several ciphertexts from one answer', () => {
    const scalars = [0n, 1n, set.plainModulus - 1n, 77n, 77n];
    const inputs = scalars.map(prepared);
    const { result, h0, h1, rounds } = answer(simulation, key, inputs, user.recipient, 'packed');
    const coefficients = sealDecrypt(set, user.secretKey, result);
    expect([...coefficients.subarray(0, scalars.length)]).toEqual(scalars);
    expect(rounds).toHaveLength(1);
    expect(h0.opening.shape.width).toBe(scalars.length);
    expect(h1.opening.shape.width).toBe(set.degree);
  });
});

describe('a user decryption', () => {
  const set = insecure;
  const simulation = simulate(4);
  const { session } = simulation;
  const key = generateKey(simulation, set);
  const alice = userOf(set);
  const bob = userOf(set);
  const ciphertextOf = (scalar: bigint): Uint8Array => encrypt(set, key.publicKey, { scalar });
  const inputOf = (bytes: Uint8Array): DecryptionInput => prepare(session.committee, set, bytes);
  const bytes = ciphertextOf(42n);
  const input = inputOf(bytes);
  const others = [1n, 2n, 3n].map((scalar) => inputOf(ciphertextOf(scalar)));
  const ask = (
    list: readonly DecryptionInput[],
    { recipient }: User = alice,
    form: 'full' | 'packed' = 'packed',
  ) => answer(simulation, key, list, recipient, form);

  const contentLayout = parseAbiParameters('bytes32, bytes32[], bytes32');
  /** docs/formats.md, Ids, written out a second time on purpose. */
  const prefixOf = (list: readonly DecryptionInput[], { recipient }: User): Hex =>
    itemPrefix({
      ...session,
      operation: Operation.userDecryption,
      content: keccak256(
        encodeAbiParameters(contentLayout, [
          key.keyId,
          list.map(({ digest }) => digest),
          recipient.digest,
        ]),
      ),
    });
  const { limbs, floodBits } = input;
  const basis = basisOf(set, limbs);
  const { primes, degree } = basis;
  /** An operator's share of one random polynomial. */
  const random = (index: number, id: Hex, distribution: Distribution): RnsVector =>
    simulation.randomness.get(index)!.share({ primes, degree, itemId: id, distribution });
  /** c1·s + E: what h0 has beside the list's own encryption of zero, from the shares themselves. */
  const flooded = (index: number, which: DecryptionInput, user: User): RnsVector =>
    negacyclicMultiplyAdd(
      basis,
      which.c1,
      key.keyShares.get(index)!.ntt.slice(0, which.c1.length),
      random(index, itemId(prefixOf([which], user), { role: Role.flooding }), {
        kind: 'uniform',
        bits: floodBits,
      }),
    );
  /** v·p + e of a list. */
  const mask = (index: number, list: DecryptionInput[], user: User, polynomial: number) => {
    const prefix = prefixOf(list, user);
    const v = random(index, itemId(prefix, { role: Role.v }), { kind: 'ternary' });
    const e = random(index, itemId(prefix, { role: Role.e, polynomial }), { kind: 'binomial' });
    const p = (polynomial === 0 ? user.recipient.b : user.recipient.a).slice(0, limbs * degree);
    return add(basis, intt(basis, multiply(basis, p, ntt(basis, v))), e);
  };
  const pick = (x: RnsVector, at: number): bigint[] =>
    primes.map((_, limb) => x[limb * degree + at]);

  it('has the shares that docs/formats.md and docs/protocols.md say', () => {
    const full = ask([input], alice, 'full');
    const list = [others[0], input, others[1]];
    const packed = ask(list);
    for (const index of simulation.indices) {
      const expected = add(basis, flooded(index, input, alice), mask(index, [input], alice, 0));
      expect(full.h0.shares.get(index)).toEqual(expected);
      expect(full.h1.shares.get(index)).toEqual(mask(index, [input], alice, 1));
      const columns = list.map((which, position) => {
        const [left, right] = [
          pick(flooded(index, which, alice), 0),
          pick(mask(index, list, alice, 0), position),
        ];
        return primes.map((prime, limb) => (left[limb] + right[limb]) % prime);
      });
      const share = primes.flatMap((_, limb) => columns.map((column) => column[limb]));
      expect([...packed.h0.shares.get(index)!]).toEqual(share);
      expect(packed.h1.shares.get(index)).toEqual(mask(index, list, alice, 1));
    }
  });

  it('asked again, after a restart or by another submitter, has the same shares bit for bit', () => {
    const again = simulate(4);
    const sameKey = generateKey(again, set);
    for (const form of ['full', 'packed'] as const) {
      const first = ask([input], alice, form);
      const second = answer(again, sameKey, [inputOf(bytes)], alice.recipient, form);
      expect(second.h0.shares).toEqual(first.h0.shares);
      expect(second.h1.shares).toEqual(first.h1.shares);
      expect(second.result).toEqual(first.result);
      expect(second.h0.opening.id).toBe(first.h0.opening.id);
    }
  });

  it('asked in the other form, has the same shares where both have one', () => {
    const full = ask([input], alice, 'full');
    const packed = ask([input], alice, 'packed');
    expect(packed.h1.shares).toEqual(full.h1.shares);
    expect(packed.h1.opening.id).toBe(full.h1.opening.id);
    expect(packed.h0.opening.id).not.toBe(full.h0.opening.id);
    for (const index of simulation.indices) {
      expect([...packed.h0.shares.get(index)!]).toEqual(pick(full.h0.shares.get(index)!, 0));
    }
  });

  it('takes what was switched down before for the same ciphertext', () => {
    const large = simulate(4);
    const largeKey = generateKey(large, secure);
    const user = userOf(secure);
    const fresh = encrypt(secure, largeKey.publicKey, { scalar: 9n });
    const level = prepare(large.session.committee, secure, fresh).limbs;
    const [first, second] = [fresh, sealSwitch(secure, fresh, level)].map((ciphertext) =>
      answer(
        large,
        largeKey,
        [prepare(large.session.committee, secure, ciphertext)],
        user.recipient,
        'packed',
      ),
    );
    expect(second.h0.shares).toEqual(first.h0.shares);
    expect(second.result).toEqual(first.result);
  });

  /** What the user finds beside the plaintext in an answer: all noise, at position `at`. */
  function noiseOf(result: Uint8Array, user: User, at: number, plain: bigint): bigint {
    const { c0, c1 } = parseCiphertext(set, result);
    const secret = secretNtt(user.secretKey).slice(0, c1.length);
    const phase = centred(set, limbs, negacyclicMultiplyAdd(basis, c1, secret, c0))[at];
    const modulus = primes.reduce((product, prime) => product * prime, 1n);
    const scaled = (modulus * plain + set.plainModulus / 2n) / set.plainModulus;
    const noise = (((phase - scaled) % modulus) + modulus) % modulus;
    return 2n * noise > modulus ? noise - modulus : noise;
  }
  const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
  /** v·e_user + e1·s_user + e0 for an honest key, twice, as a difference has them. */
  const sets = BigInt(session.committee.sets.length);
  const maskNoise = 2n * (2n * BigInt(degree) * 21n * sets + 21n * sets);

  it('gives the user one flooded value of a ciphertext, in whatever lists it stands', () => {
    // 24 lists: nothing of the flooding is averaged away, because none of it is fresh.
    const lists = [
      [input],
      ...others.map((other) => [input, other]),
      ...others.map((other) => [other, input]),
      [input, input],
      [others[0], others[1], input],
      ...Array.from({ length: 15 }, (_, at) => [
        ...Array.from({ length: at + 2 }, () => others[at % 3]),
        input,
      ]),
    ];
    const answers = lists.map((list) => ({ at: list.indexOf(input), ...ask(list) }));
    const noises = answers.map(({ result, at }) => noiseOf(result, alice, at, 42n));
    noises.push(noiseOf(ask([input], alice, 'full').result, alice, 0, 42n));
    const spread = noises.reduce((widest, noise) => {
      const distance = absolute(noise - noises[0]);
      return distance > widest ? distance : widest;
    }, 0n);
    expect(spread).toBeLessThanOrEqual(maskNoise);
    // The lists' own encryptions of zero do differ. Single coefficients of their noise may agree by luck.
    const masks = answers.map(({ h1 }) => Buffer.from(h1.value.buffer).toString('hex'));
    expect(new Set(masks).size).toBe(lists.length);
    expect(new Set(noises).size).toBeGreaterThan(1);
    const average = noises.reduce((sum, noise) => sum + noise, 0n) / BigInt(noises.length);
    // All but 2^-40 of all flooding noise is larger than this; what it hides is far smaller still.
    expect(absolute(average)).toBeGreaterThan(1n << BigInt(floodBits - 40));
  });

  it('floods another ciphertext, another recipient and a public decryption anew', () => {
    const noises = [
      noiseOf(ask([input]).result, alice, 0, 42n),
      noiseOf(ask([input], bob).result, bob, 0, 42n),
      noiseOf(ask([inputOf(ciphertextOf(42n))]).result, alice, 0, 42n),
    ];
    for (const [at, noise] of noises.entries()) {
      for (const other of noises.slice(at + 1)) {
        expect(absolute(noise - other)).toBeGreaterThan(1n << BigInt(floodBits - 40));
      }
    }
    const floodingIds = [
      itemId(prefixOf([input], alice), { role: Role.flooding }),
      itemId(prefixOf([input], bob), { role: Role.flooding }),
      itemId(prefixOf([others[0]], alice), { role: Role.flooding }),
    ];
    expect(new Set(floodingIds).size).toBe(3);
  });

  it('names its openings by everything that fixes their bytes', () => {
    const answers = [
      ask([input], alice, 'full'),
      ask([input, others[0]]),
      ask([others[0], input]),
      ask([input, input]),
      ask([input], bob, 'full'),
      ask([others[0]], alice, 'full'),
    ];
    const ids = answers.flatMap(({ h0, h1 }) => [h0.opening.id, h1.opening.id]);
    expect(new Set(ids).size).toBe(ids.length);
    const [masked, own] = firstOpenings(
      userDecryption(session, {
        keyId: key.keyId,
        generation: 1,
        set,
        ciphertexts: [input],
        recipient: alice.recipient,
        form: 'full',
      }),
    );
    // h1 uses no key share, so it is the same for all generations.
    expect(masked.id).not.toBe(answers[0].h0.opening.id);
    expect(own.id).toBe(answers[0].h1.opening.id);
  });

  describe('is refused', () => {
    const request = {
      keyId: key.keyId,
      generation: 0,
      set,
      ciphertexts: [input] as readonly DecryptionInput[],
      recipient: alice.recipient,
      form: 'full' as 'full' | 'packed',
    };
    const failing = (code: string) => expect.objectContaining({ code }) as Error;
    const asking = (changes: Partial<typeof request>) => () =>
      userDecryption(session, { ...request, ...changes });

    it('in full for two ciphertexts, or for none or too many', () => {
      const code = ProtocolErrorCode.ANSWER_FORM_INVALID;
      expect(asking({ ciphertexts: [input, others[0]] })).toThrow(failing(code));
      const tooMany = Array.from({ length: degree + 1 }, () => input);
      for (const form of ['full', 'packed'] as const) {
        expect(asking({ form, ciphertexts: [] })).toThrow(failing(code));
        expect(asking({ form, ciphertexts: tooMany })).toThrow(failing(code));
      }
    });

    it('for ciphertexts or recipients of another committee or parameter set', () => {
      const foreign = prepare(simulate(7).session.committee, set, bytes);
      const mismatch = failing(ProtocolErrorCode.COMMITTEE_MISMATCH);
      expect(asking({ ciphertexts: [foreign] })).toThrow(mismatch);
      expect(asking({ ciphertexts: [input, foreign], form: 'packed' })).toThrow(mismatch);
      const other = userOf(parameterSet('insecure-bfv-1024-b17')).recipient;
      expect(asking({ recipient: other })).toThrow(failing(ProtocolErrorCode.RECIPIENT_MISMATCH));
    });

    it('with a key share of another generation', () => {
      const part = asking({ generation: 1 })();
      expect(() => runPart(simulation, [key], part)).toThrow(
        failing(ProtocolErrorCode.KEY_SHARE_MISMATCH),
      );
    });

    it('when it is told other values than were opened', () => {
      const { h0, h1 } = ask([input], alice, 'full');
      const above = h1.value.slice();
      above[0] += primes[0];
      for (const values of [
        [h0.value],
        [h0.value, h1.value.subarray(1)],
        [h0.value, above],
        [h0.value, h1.value, h1.value],
      ]) {
        const part = asking({})();
        part.next();
        expect(() => part.next(values)).toThrow(failing(ProtocolErrorCode.VALUE_MISMATCH));
      }
    });
  });
});

describe('parseRecipient', () => {
  const set = insecure;
  const { publicKey, recipient } = userOf(set);
  const codeOf = (bytes: Uint8Array): unknown => {
    try {
      parseRecipient(set, bytes);
      return undefined;
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  const withU64 = (offset: number, value: bigint): Uint8Array => {
    const copy = publicKey.slice();
    new DataView(copy.buffer).setBigUint64(offset, value, true);
    return copy;
  };

  it('keeps a stock key, named by the SHA-256 of its bytes', async () => {
    expect(serializePublicKey(set, recipient.b, recipient.a)).toEqual(publicKey);
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(publicKey));
    expect(hexToBytes(recipient.digest)).toEqual(new Uint8Array(digest));
  });

  it.each([
    ['nothing', new Uint8Array(0), FheErrorCode.TRUNCATED],
    ['a cut key', publicKey.subarray(0, -1), FheErrorCode.TRUNCATED],
    ['more', Buffer.concat([publicKey, Buffer.alloc(1)]), FheErrorCode.TRAILING_BYTES],
    ['no header', withU64(0, 0n), FheErrorCode.HEADER_INVALID],
    ['what is compressed', withU64(0, 0x0000_01_01_04_10_a15en), FheErrorCode.COMPRESSED],
    ['another length', withU64(8, 1n), FheErrorCode.LENGTH_FIELD_INVALID],
    ['an unknown level', withU64(16, 1n), FheErrorCode.PARMS_ID_UNKNOWN],
    ['three polynomials', withU64(49, 3n), FheErrorCode.SIZE_INVALID],
    ['another degree', withU64(57, 2048n), FheErrorCode.DEGREE_MISMATCH],
    ['fewer limbs', withU64(65, 1n), FheErrorCode.LIMBS_MISMATCH],
    ['a scale', withU64(73, 0n), FheErrorCode.SCALE_INVALID],
    ['a correction factor', withU64(81, 2n), FheErrorCode.CORRECTION_FACTOR_INVALID],
    ['another count', withU64(105, 1n), FheErrorCode.LENGTH_FIELD_INVALID],
    ['a large residue', withU64(113, set.primes[0]), FheErrorCode.NOT_CANONICAL],
    ['a ciphertext', encrypt(set, publicKey, { scalar: 1n }), FheErrorCode.LEVEL_INVALID],
  ])('refuses %s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('refuses every change before the residues', () => {
    for (let offset = 0; offset < 113; offset++) {
      const copy = publicKey.slice();
      copy[offset] ^= 1;
      expect(codeOf(copy)).toBeDefined();
    }
  });

  it('refuses a key that would hide nothing at some level', () => {
    const { b, a } = recipient;
    const zeroed = (x: RnsVector, limb: number): RnsVector =>
      x.slice().fill(0n, limb * set.degree, (limb + 1) * set.degree);
    for (let limb = 0; limb < set.primes.length; limb++) {
      for (const bytes of [
        serializePublicKey(set, zeroed(b, limb), a),
        serializePublicKey(set, b, zeroed(a, limb)),
      ]) {
        expect(codeOf(bytes)).toBe(FheErrorCode.TRANSPARENT);
      }
    }
    const nothing: RnsVector = new BigUint64Array(a.length);
    expect(codeOf(serializePublicKey(set, nothing, a))).toBe(FheErrorCode.TRANSPARENT);
    expect(codeOf(serializePublicKey(set, b, nothing))).toBe(FheErrorCode.TRANSPARENT);
  });
});
