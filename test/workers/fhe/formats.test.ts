import type { Ciphertext, Evaluator } from 'node-seal';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ciphertextLength,
  firstLimbs,
  parseCiphertext,
  serializeCiphertext,
} from '../../../workers/fhe/ciphertext.ts';
import { decodeCoefficients, decodeSlots, encrypt } from '../../../workers/fhe/client.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { parsePublicKey, serializePublicKey } from '../../../workers/fhe/keys.ts';
import { parsePlaintext, serializePlaintext } from '../../../workers/fhe/plaintext.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSets } from '../../../workers/ring/parameters.ts';
import { loadCiphertext, sealDecrypt, sealKeys, sealSwitch } from './support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(parameterSets)('SEAL objects of $name', (set) => {
  let keys: ReturnType<typeof sealKeys>;
  let ciphertext: Uint8Array;
  beforeAll(() => {
    keys = sealKeys(set);
    ciphertext = encrypt(set, keys.publicKey, { scalar: 5n });
  });

  it('round-trips ciphertexts of all levels byte for byte', () => {
    for (let limbs = firstLimbs(set); limbs >= 1; limbs--) {
      const bytes = sealSwitch(set, ciphertext, limbs);
      const parsed = parseCiphertext(set, bytes);
      expect(parsed.limbs).toBe(limbs);
      expect(parsed.c0).toHaveLength(limbs * set.degree);
      expect(bytes).toHaveLength(ciphertextLength(set, limbs));
      expect(hex(serializeCiphertext(set, parsed))).toBe(hex(bytes));
    }
  });

  it('reads bytes at any alignment and keeps nothing of them', () => {
    const shifted = new Uint8Array(ciphertext.length + 3);
    shifted.set(ciphertext, 3);
    const parsed = parseCiphertext(set, shifted.subarray(3));
    shifted.fill(0);
    expect(hex(serializeCiphertext(set, parsed))).toBe(hex(ciphertext));
  });

  it('writes ciphertexts that SEAL loads and saves unchanged', () => {
    const bytes = serializeCiphertext(set, parseCiphertext(set, ciphertext));
    const saved = withSeal((own) => savedBytes(loadCiphertext(set, bytes, own)));
    expect(hex(saved)).toBe(hex(bytes));
  });

  it('round-trips public keys, and SEAL loads what we write', () => {
    const { b, a } = parsePublicKey(set, keys.publicKey);
    const bytes = serializePublicKey(set, b, a);
    expect(hex(bytes)).toBe(hex(keys.publicKey));
    withSeal((own) => {
      const key = own(new seal.PublicKey());
      key.loadFromArray(sealContext(set).handle, bytes);
      expect(hex(savedBytes(key))).toBe(hex(bytes));
    });
  });

  it('refuses a ciphertext in place of a key, and a key in place of a ciphertext', () => {
    expect(() => parsePublicKey(set, ciphertext)).toThrow(
      expect.objectContaining({ code: FheErrorCode.LEVEL_INVALID }),
    );
    expect(() => parseCiphertext(set, keys.publicKey)).toThrow(
      expect.objectContaining({ code: FheErrorCode.LEVEL_INVALID }),
    );
  });

  it('writes plaintexts as SEAL saves them, and reads them back', () => {
    const coefficients = BigUint64Array.from({ length: set.degree }, (_, at) =>
      at % 3 === 0 ? set.plainModulus - 1n : BigInt(at),
    );
    const bytes = serializePlaintext(set, coefficients);
    expect(parsePlaintext(set, bytes)).toEqual(coefficients);
    withSeal((own) => {
      const plaintext = own(new seal.Plaintext());
      plaintext.loadFromArray(sealContext(set).handle, bytes);
      expect(hex(savedBytes(plaintext))).toBe(hex(bytes));
    });
  });

  it('encrypts and decodes scalars as a stock client does', () => {
    const top = set.plainModulus - 1n;
    const scalar = encrypt(set, keys.publicKey, { scalar: top });
    const opened = serializePlaintext(set, sealDecrypt(set, keys.secretKey, scalar));
    const expected = [top, ...Array.from({ length: set.degree - 1 }, () => 0n)];
    expect(decodeCoefficients(set, opened)).toEqual(expected);
  });

  it('takes bytes as files and sockets give them', () => {
    const ciphertext = encrypt(set, Buffer.from(keys.publicKey), { scalar: 5n });
    const plaintext = serializePlaintext(set, sealDecrypt(set, keys.secretKey, ciphertext));
    expect(decodeCoefficients(set, Buffer.from(plaintext))[0]).toBe(5n);
  });

  it('refuses scalars that do not fit', () => {
    for (const scalar of [set.plainModulus, -1n]) {
      expect(() => encrypt(set, keys.publicKey, { scalar })).toThrow(
        expect.objectContaining({ code: FheErrorCode.VALUES_INVALID }),
      );
    }
  });
});

describe.each(parameterSets.filter((set) => set.batching))('slots of $name', (set) => {
  const keys = sealKeys(set);

  it('are encrypted and decoded as a stock client does', () => {
    const top = set.plainModulus - 1n;
    const slots = Array.from({ length: set.degree }, (_, at) => (BigInt(at) * 7919n) % top);
    const batched = encrypt(set, keys.publicKey, { slots });
    const plaintext = serializePlaintext(set, sealDecrypt(set, keys.secretKey, batched));
    expect(decodeSlots(set, plaintext)).toEqual(slots);
  });

  it('are refused if they do not fit', () => {
    const tooMany = Array.from({ length: set.degree + 1 }, () => 0n);
    for (const slots of [tooMany, [set.plainModulus], [0n, -1n]]) {
      expect(() => encrypt(set, keys.publicKey, { slots })).toThrow(
        expect.objectContaining({ code: FheErrorCode.VALUES_INVALID }),
      );
    }
  });
});

describe.each(parameterSets.filter((set) => !set.batching))('plaintexts of $name', (set) => {
  const keys = sealKeys(set);

  it('have no slots', () => {
    const unsupported = expect.objectContaining({
      code: FheErrorCode.BATCHING_UNSUPPORTED,
    }) as Error;
    expect(() => encrypt(set, keys.publicKey, { slots: [1n] })).toThrow(unsupported);
    const plaintext = serializePlaintext(set, new BigUint64Array(set.degree));
    expect(() => decodeSlots(set, plaintext)).toThrow(unsupported);
  });

  it('wrap around in sums and products', () => {
    const t = set.plainModulus;
    const [a, b] = [t - 5n, t / 2n + 3n];
    const [x, y] = [a, b].map((scalar) => encrypt(set, keys.publicKey, { scalar }));
    const compute = (work: (evaluator: Evaluator, left: Ciphertext, right: Ciphertext) => void) =>
      withSeal((own) => {
        const left = loadCiphertext(set, x, own);
        const evaluator = own(new seal.Evaluator(sealContext(set).handle));
        work(evaluator, left, loadCiphertext(set, y, own));
        return sealDecrypt(set, keys.secretKey, savedBytes(left));
      });
    const sum = compute((evaluator, left, right) => evaluator.addInplace(left, right));
    expect([...sum.subarray(0, 2)]).toEqual([(a + b) % t, 0n]);
    const product = compute((evaluator, left, right) => evaluator.multiplyInplace(left, right));
    expect([...product.subarray(0, 2)]).toEqual([(a * b) % t, 0n]);
  });
});
