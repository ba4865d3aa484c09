import { beforeAll, describe, expect, it } from 'vitest';
import { sealContext } from '../../../workers/fhe/context.ts';
import { FheError, FheErrorCode } from '../../../workers/fhe/errors.ts';
import {
  digitsOf,
  entryLength,
  entryStart,
  galoisKeyOf,
  galoisKeys,
  galoisKeysLength,
  parseEntry,
  relinearizationKeyOf,
  relinearizationKeys,
  relinearizationKeysLength,
  switchingKeys,
} from '../../../workers/fhe/evaluation-keys.ts';
import { galoisElements } from '../../../workers/fhe/galois-elements.ts';
import { serializePublicKey } from '../../../workers/fhe/keys.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { gathered } from './evaluation.ts';

const set = parameterSet('insecure-bfv-1024');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Bytes before the first entry, written out a second time on purpose. */
const entriesAt = 16 + 32 + 8;

let relinearization: Uint8Array;
let galois: Uint8Array;
beforeAll(() => {
  withSeal((own) => {
    const generator = own(new seal.KeyGenerator(sealContext(set).handle));
    relinearization = savedBytes(own(generator.createRelinKeys()));
    galois = savedBytes(own(generator.createGaloisKeysWithSteps(Int32Array.of(1, -1, 0))));
  });
});

const elements = galoisElements(set.degree, [1, -1, 0]);
const entryOf = (file: Uint8Array, start = entriesAt): Uint8Array =>
  file.slice(start, start + entryLength(set));
/** Entries of the Galois keys: each behind the empty places before it. */
const galoisEntries = () =>
  elements.map((element, at) => {
    const empty = (element - 1) / 2 - at;
    const entry = entryOf(galois, entriesAt + 8 * empty + at * entryLength(set));
    return { element, entry: [entry] };
  });

describe('SEAL’s own keys', () => {
  it('consist of entries as this parses and writes them', () => {
    for (const entry of [entryOf(relinearization), ...galoisEntries().map((e) => e.entry[0])]) {
      const digits = parseEntry(set, entry);
      expect(digits).toHaveLength(digitsOf(set));
      const written = digits.map(({ b, a }) => serializePublicKey(set, b, a));
      expect(hex(Buffer.concat([entryStart(set), ...written]))).toBe(hex(entry));
    }
  });

  it('are put together from their entries byte for byte', async () => {
    const rebuilt = await gathered(relinearizationKeys(set, [entryOf(relinearization)]));
    expect(hex(rebuilt)).toBe(hex(relinearization));
    expect(rebuilt).toHaveLength(relinearizationKeysLength(set));
    const all = await gathered(galoisKeys(set, galoisEntries()));
    expect(hex(all)).toBe(hex(galois));
    expect(all).toHaveLength(galoisKeysLength(set, elements.length));
  });

  it('are the same files when they are put together at once', async () => {
    const entry = entryOf(relinearization);
    expect(hex(relinearizationKeyOf(set, entry))).toBe(hex(relinearization));
    for (const element of [1, ...elements]) {
      const streamed = await gathered(galoisKeys(set, [{ element, entry: [entry] }]));
      expect(hex(galoisKeyOf(set, element, entry))).toBe(hex(streamed));
    }
  });

  it('do not depend on how the bytes of an entry arrive', async () => {
    const entry = entryOf(relinearization);
    async function* slowly() {
      for (let at = 0; at < entry.length; at += 1000) yield entry.subarray(at, at + 1000);
    }
    expect(hex(await gathered(relinearizationKeys(set, slowly())))).toBe(hex(relinearization));
  });

  it('are loaded by SEAL as a switching key when they stand at element 1', async () => {
    const file = await gathered(switchingKeys(set, [entryOf(relinearization)]));
    withSeal((own) => {
      const keys = own(new seal.GaloisKeys());
      keys.loadFromArray(sealContext(set).handle, file);
      expect(keys.hasKey(1)).toBe(true);
      expect(keys.hasKey(3)).toBe(false);
      expect(hex(savedBytes(keys))).toBe(hex(file));
    });
  });
});

describe('a file', () => {
  const failing = (code: FheErrorCode) => expect.objectContaining({ code }) as FheError;

  it('is refused when an entry has not its length', async () => {
    const entry = entryOf(relinearization);
    const short = relinearizationKeys(set, [entry.subarray(1)]);
    await expect(gathered(short)).rejects.toThrow(failing(FheErrorCode.TRUNCATED));
    const long = switchingKeys(set, [entry, Uint8Array.of(0)]);
    await expect(gathered(long)).rejects.toThrow(failing(FheErrorCode.TRAILING_BYTES));
  });

  it.each([[[2]], [[-1]], [[2 * set.degree + 1]], [[5, 3]], [[3, 3]], [[1.5]], [[Number.NaN]]])(
    'is refused for the elements %j before a byte is written',
    async (invalid) => {
      const entries = invalid.map((element) => ({ element, entry: [entryOf(relinearization)] }));
      const file = galoisKeys(set, entries);
      await expect(file.next()).rejects.toThrow(failing(FheErrorCode.GALOIS_ELEMENT_INVALID));
    },
  );

  it('may have no entry, or one at every place', async () => {
    expect(await gathered(galoisKeys(set, []))).toHaveLength(galoisKeysLength(set, 0));
    const reads: number[] = [];
    const entry = entryOf(relinearization);
    const entries = [1, 2 * set.degree - 1].map((element) => ({
      element,
      entry: (function* () {
        reads.push(element);
        yield entry;
      })(),
    }));
    expect(await gathered(galoisKeys(set, entries))).toHaveLength(galoisKeysLength(set, 2));
    expect(reads).toEqual([1, 2 * set.degree - 1]);
  });
});

describe('parseEntry rejects', () => {
  const codeOf = (bytes: Uint8Array): string | undefined => {
    try {
      parseEntry(set, bytes);
      return undefined;
    } catch (error) {
      if (error instanceof FheError) return error.code;
      throw error;
    }
  };
  const digitLength = (): number => (entryLength(set) - 8) / digitsOf(set);
  const edited = (offset: number): Uint8Array => {
    const copy = entryOf(relinearization);
    copy[offset] ^= 1;
    return copy;
  };

  it('another number of digits than the parameter set has', () => {
    for (let offset = 0; offset < 8; offset++) {
      expect(codeOf(edited(offset))).toBe(FheErrorCode.LENGTH_FIELD_INVALID);
    }
    expect(codeOf(new Uint8Array(8))).toBe(FheErrorCode.LENGTH_FIELD_INVALID);
  });

  it('what is cut off, or goes on', () => {
    const entry = entryOf(relinearization);
    expect(codeOf(entry)).toBe(undefined);
    for (const length of [0, 7, 8, 100, entry.length - 1, entry.length - digitLength()]) {
      expect(codeOf(entry.subarray(0, length))).toBe(FheErrorCode.TRUNCATED);
    }
    const long = Buffer.concat([entry, Buffer.alloc(1)]);
    expect(codeOf(long)).toBe(FheErrorCode.TRAILING_BYTES);
  });

  it('every change before the residues of any digit', () => {
    for (let digit = 0; digit < digitsOf(set); digit++) {
      for (let offset = 0; offset < 113; offset++) {
        expect(codeOf(edited(8 + digit * digitLength() + offset))).toBeDefined();
      }
    }
  });

  it('a residue that is not below its prime', () => {
    const entry = entryOf(relinearization);
    entry.fill(0xff, entry.length - 8);
    expect(codeOf(entry)).toBe(FheErrorCode.NOT_CANONICAL);
  });
});
