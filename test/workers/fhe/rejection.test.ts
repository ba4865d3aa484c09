import { beforeAll, describe, expect, it } from 'vitest';
import {
  firstLimbs,
  parseCiphertext,
  serializeCiphertext,
} from '../../../workers/fhe/ciphertext.ts';
import { encrypt } from '../../../workers/fhe/client.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import { FheError, FheErrorCode } from '../../../workers/fhe/errors.ts';
import { parsePublicKey } from '../../../workers/fhe/keys.ts';
import { parsePlaintext, serializePlaintext } from '../../../workers/fhe/plaintext.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { loadCiphertext, sealKeys, sealSwitch } from './support.ts';

const set = parameterSet('insecure-bfv-1024');
const codes = FheErrorCode;

// Offsets of SEAL's Ciphertext object, written out a second time on purpose.
const at = {
  magic: 0,
  headerSize: 2,
  major: 3,
  minor: 4,
  compression: 5,
  reserved: 6,
  total: 8,
  parmsId: 16,
  nttForm: 48,
  size: 49,
  degree: 57,
  limbs: 65,
  scale: 73,
  correction: 81,
  array: 89,
  count: 105,
  residues: 113,
};

let publicKey: Uint8Array;
let ciphertext: Uint8Array;
beforeAll(() => {
  ({ publicKey } = sealKeys(set));
  ciphertext = encrypt(set, publicKey, { scalar: 3n });
});

function codeOf(bytes: Uint8Array, parse: (bytes: Uint8Array) => unknown): string | undefined {
  try {
    parse(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof FheError) return error.code;
    throw error;
  }
}

const rejects = (bytes: Uint8Array): string | undefined =>
  codeOf(bytes, (input) => parseCiphertext(set, input));

/** What a client of SEAL makes for another scheme over the same ring and primes. */
function foreignObjects(scheme: 'bgv' | 'ckks') {
  return withSeal((own) => {
    const parameters = own(new seal.EncryptionParameters(seal.SchemeType[scheme]));
    const primes = own(new seal.VectorModulus());
    for (const prime of set.primes) primes.push_back(own(new seal.Modulus(prime)));
    parameters.setPolyModulusDegree(set.degree);
    parameters.setCoeffModulus(primes);
    if (scheme === 'bgv') parameters.setPlainModulus(own(new seal.Modulus(set.plainModulus)));
    const context = own(new seal.SEALContext(parameters, true, seal.SecLevelType.none));
    const key = own(own(new seal.KeyGenerator(context)).createPublicKey());
    const plaintext = own(new seal.Plaintext());
    if (scheme === 'bgv') {
      own(new seal.BatchEncoder(context)).encode(BigUint64Array.of(1n, 2n), plaintext);
    } else {
      own(new seal.CKKSEncoder(context)).encode(Float64Array.of(1.5, 2.5), 2 ** 40, plaintext);
    }
    const object = own(new seal.Ciphertext());
    own(new seal.Encryptor(context, key)).encrypt(plaintext, object);
    // Where BGV's correction factor is another than 1.
    own(new seal.Evaluator(context)).cipherModSwitchToNextInplace(object);
    const limbs = object.coeffModulusSize();
    return { ciphertext: savedBytes(object), publicKey: savedBytes(key), limbs };
  });
}

/** The ciphertext with some bytes replaced. */
function edited(offset: number, ...bytes: number[]): Uint8Array {
  const copy = ciphertext.slice();
  copy.set(bytes, offset);
  return copy;
}

function withU64(offset: number, value: bigint): Uint8Array {
  const copy = ciphertext.slice();
  new DataView(copy.buffer).setBigUint64(offset, value, true);
  return copy;
}

describe('parseCiphertext rejects', () => {
  it('what is cut off at any length', () => {
    for (const length of [0, 1, 15, 16, 48, 112, 113, 114, ciphertext.length - 1]) {
      expect(rejects(ciphertext.subarray(0, length))).toBe(codes.TRUNCATED);
    }
  });

  it('bytes after the end', () => {
    expect(rejects(Buffer.concat([ciphertext, Buffer.alloc(1)]))).toBe(codes.TRAILING_BYTES);
  });

  it.each([at.magic, at.headerSize, at.reserved, at.array, at.array + at.headerSize])(
    'another header byte at %i',
    (offset) => {
      expect(rejects(edited(offset, 0xff))).toBe(codes.HEADER_INVALID);
    },
  );

  it('other versions of the format', () => {
    for (const offset of [at.major, at.minor, at.array + at.major]) {
      expect(rejects(edited(offset, 3))).toBe(codes.VERSION_UNSUPPORTED);
    }
  });

  it('what SEAL itself has compressed', () => {
    for (const mode of [seal.ComprModeType.zlib, seal.ComprModeType.zstd]) {
      const compressed = withSeal(
        (own) =>
          new Uint8Array(loadCiphertext(set, ciphertext, own).saveToArray(mode) as Uint8Array),
      );
      expect(rejects(compressed)).toBe(codes.COMPRESSED);
    }
    expect(rejects(edited(at.array + at.compression, 1))).toBe(codes.COMPRESSED);
  });

  it('length fields that contradict the rest, however large', () => {
    for (const offset of [at.total, at.array + at.total, at.count]) {
      for (const value of [0n, 1n << 40n, (1n << 64n) - 1n]) {
        expect(rejects(withU64(offset, value))).toBe(codes.LENGTH_FIELD_INVALID);
      }
    }
  });

  it('a parms_id of no level, or of the key level', () => {
    expect(rejects(edited(at.parmsId, ...new Uint8Array(32)))).toBe(codes.PARMS_ID_UNKNOWN);
    const keyLevel = sealContext(set).parmsIds[set.primes.length - 1];
    expect(rejects(edited(at.parmsId, ...keyLevel))).toBe(codes.LEVEL_INVALID);
  });

  it('a parms_id of another level than the limbs', () => {
    const lower = sealContext(set).parmsIds[0];
    expect(rejects(edited(at.parmsId, ...lower))).toBe(codes.LIMBS_MISMATCH);
    expect(rejects(withU64(at.limbs, 2n))).toBe(codes.LIMBS_MISMATCH);
  });

  it('NTT form, as SEAL makes it or by the flag', () => {
    const transformed = withSeal((own) => {
      const object = loadCiphertext(set, ciphertext, own);
      const evaluator = own(new seal.Evaluator(sealContext(set).handle));
      evaluator.cipherTransformToNttInplace(object);
      return savedBytes(object);
    });
    expect(rejects(transformed)).toBe(codes.NTT_FORM_INVALID);
    expect(rejects(edited(at.nttForm, 2))).toBe(codes.NTT_FORM_INVALID);
  });

  it('three polynomials, as after a multiplication', () => {
    const product = withSeal((own) => {
      const object = loadCiphertext(set, ciphertext, own);
      own(new seal.Evaluator(sealContext(set).handle)).squareInplace(object);
      return savedBytes(object);
    });
    expect(rejects(product)).toBe(codes.SIZE_INVALID);
    expect(rejects(withU64(at.size, 1n))).toBe(codes.SIZE_INVALID);
  });

  it('another degree, scale or correction factor', () => {
    expect(rejects(withU64(at.degree, 2048n))).toBe(codes.DEGREE_MISMATCH);
    const scaled = ciphertext.slice();
    new DataView(scaled.buffer).setFloat64(at.scale, 2, true);
    expect(rejects(scaled)).toBe(codes.SCALE_INVALID);
    expect(rejects(withU64(at.scale, 0x7ff8n << 48n))).toBe(codes.SCALE_INVALID);
    expect(rejects(withU64(at.correction, 2n))).toBe(codes.CORRECTION_FACTOR_INVALID);
  });

  it('a residue that is not below its prime, in either polynomial and any limb', () => {
    const limbs = firstLimbs(set);
    for (let limb = 0; limb < 2 * limbs; limb++) {
      const prime = set.primes[limb % limbs];
      const last = at.residues + 8 * ((limb + 1) * set.degree - 1);
      expect(rejects(withU64(last, prime))).toBe(codes.NOT_CANONICAL);
      expect(rejects(withU64(last, (1n << 64n) - 1n))).toBe(codes.NOT_CANONICAL);
      expect(rejects(withU64(last, prime - 1n))).toBe(undefined);
    }
  });

  it('a transparent ciphertext, though not one with a single residue', () => {
    const { limbs, c0, c1 } = parseCiphertext(set, ciphertext);
    const zero = new BigUint64Array(c1.length);
    expect(rejects(serializeCiphertext(set, { limbs, c0, c1: zero }))).toBe(codes.TRANSPARENT);
    zero[zero.length - 1] = 1n;
    expect(rejects(serializeCiphertext(set, { limbs, c0, c1: zero }))).toBe(undefined);
  });

  it('every change of a byte before the residues', () => {
    for (let offset = 0; offset < at.residues; offset++) {
      for (const change of [1, 0x80]) {
        expect(rejects(edited(offset, ciphertext[offset] ^ change))).toBeDefined();
      }
    }
  });

  it('a ciphertext of another parameter set', () => {
    const other = parameterSet('bfv-8192-b20');
    expect(codeOf(ciphertext, (bytes) => parseCiphertext(other, bytes))).toBe(
      codes.PARMS_ID_UNKNOWN,
    );
  });

  it.each(['bgv', 'ckks'] as const)('objects of %s with the same ring and primes', (scheme) => {
    const foreign = foreignObjects(scheme);
    expect(rejects(foreign.ciphertext)).toBe(codes.PARMS_ID_UNKNOWN);
    const keyCode = codeOf(foreign.publicKey, (bytes) => parsePublicKey(set, bytes));
    expect(keyCode).toBe(codes.PARMS_ID_UNKNOWN);

    // Not even with the parms_id and then the NTT flag of a BFV ciphertext at that level.
    const disguised = foreign.ciphertext.slice();
    disguised.set(sealContext(set).parmsIds[foreign.limbs - 1], at.parmsId);
    expect(rejects(disguised)).toBe(codes.NTT_FORM_INVALID);
    disguised[at.nttForm] = 0;
    const remaining = { bgv: codes.CORRECTION_FACTOR_INVALID, ckks: codes.SCALE_INVALID };
    expect(rejects(disguised)).toBe(remaining[scheme]);
  });

  it('nothing that SEAL switched down', () => {
    expect(rejects(sealSwitch(set, ciphertext, 1))).toBe(undefined);
  });
});

describe('parsePlaintext rejects', () => {
  const plaintext = serializePlaintext(set, new BigUint64Array(set.degree).fill(2n));
  const code = (bytes: Uint8Array): string | undefined =>
    codeOf(bytes, (input) => parsePlaintext(set, input));
  const editedU64 = (offset: number, value: bigint): Uint8Array => {
    const copy = plaintext.slice();
    new DataView(copy.buffer).setBigUint64(offset, value, true);
    return copy;
  };

  it('every other form', () => {
    expect(code(plaintext)).toBe(undefined);
    expect(code(plaintext.subarray(0, 80))).toBe(codes.TRUNCATED);
    expect(code(plaintext.subarray(0, -1))).toBe(codes.TRUNCATED);
    expect(code(Buffer.concat([plaintext, Buffer.alloc(1)]))).toBe(codes.TRAILING_BYTES);
    expect(code(editedU64(16, 1n))).toBe(codes.NTT_FORM_INVALID);
    expect(code(editedU64(48, 1n))).toBe(codes.DEGREE_MISMATCH);
    expect(code(editedU64(56, 0n))).toBe(codes.SCALE_INVALID);
    expect(code(editedU64(80, 1n))).toBe(codes.LENGTH_FIELD_INVALID);
    expect(code(editedU64(88, set.plainModulus))).toBe(codes.NOT_CANONICAL);
  });

  it('a byte changed anywhere before the coefficients', () => {
    for (let offset = 0; offset < 88; offset++) {
      const copy = plaintext.slice();
      copy[offset] ^= 1;
      expect(code(copy)).toBeDefined();
    }
  });

  it('coefficients that cannot be written either', () => {
    expect(() => serializePlaintext(set, new BigUint64Array(set.degree - 1))).toThrow(
      expect.objectContaining({ code: codes.DEGREE_MISMATCH }),
    );
    const large = new BigUint64Array(set.degree).fill(set.plainModulus);
    expect(() => serializePlaintext(set, large)).toThrow(
      expect.objectContaining({ code: codes.NOT_CANONICAL }),
    );
  });
});
