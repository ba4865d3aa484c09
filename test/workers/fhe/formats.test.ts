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
    ciphertext = encrypt(set, keys.publicKey, { slots: [5n, 6n, 7n] });
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

  it('encrypts and decodes slots and scalars as a stock client does', () => {
    const top = set.plainModulus - 1n;
    const slots = Array.from({ length: set.degree }, (_, at) => (BigInt(at) * 7919n) % top);
    const batched = encrypt(set, keys.publicKey, { slots });
    const plaintext = serializePlaintext(set, sealDecrypt(set, keys.secretKey, batched));
    expect(decodeSlots(set, plaintext)).toEqual(slots);

    const scalar = encrypt(set, keys.publicKey, { scalar: top });
    const opened = serializePlaintext(set, sealDecrypt(set, keys.secretKey, scalar));
    const expected = [top, ...Array.from({ length: set.degree - 1 }, () => 0n)];
    expect(decodeCoefficients(set, opened)).toEqual(expected);
  });

  it('takes bytes as files and sockets give them', () => {
    const ciphertext = encrypt(set, Buffer.from(keys.publicKey), { slots: [5n] });
    const plaintext = serializePlaintext(set, sealDecrypt(set, keys.secretKey, ciphertext));
    expect(decodeSlots(set, Buffer.from(plaintext))[0]).toBe(5n);
  });

  it('refuses values that do not fit', () => {
    const tooMany = Array.from({ length: set.degree + 1 }, () => 0n);
    const cases = [{ scalar: set.plainModulus }, { scalar: -1n }, { slots: tooMany }];
    for (const values of cases) {
      expect(() => encrypt(set, keys.publicKey, values)).toThrow(
        expect.objectContaining({ code: FheErrorCode.VALUES_INVALID }),
      );
    }
  });
});
