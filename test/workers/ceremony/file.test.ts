import { describe, expect, it } from 'vitest';
import { CeremonyErrorCode } from '../../../workers/ceremony/errors.ts';
import {
  initialFile,
  parsePowersFile,
  powersFileLimit,
  type PowersFile,
} from '../../../workers/ceremony/file.ts';
import { pointCount, pointSections } from '../../../workers/ceremony/layout.ts';
import {
  appendRecord,
  parseRecords,
  recordLength,
  recordsLimit,
} from '../../../workers/ceremony/records.ts';
import { allocatePowersFile } from '../../../workers/ceremony/file.ts';
import { power } from './ceremony.ts';

const code = CeremonyErrorCode;
const prime = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47n;
const primeBytes = Buffer.from(prime.toString(16), 'hex').reverse();
const beacon = { hash: new Uint8Array(32).fill(9), iterationsExp: 12 };

/** A file of generators with records whose points, hashes and keys are all zero but well formed. */
function fileWithRecords(): PowersFile {
  const initial = initialFile(power);
  const length = 4 + recordLength('first', undefined) + recordLength('', beacon);
  const file = allocatePowersFile(power, length);
  for (const { name } of pointSections) file[name].set(initial[name]);
  const one = file.records.subarray(0, 4 + recordLength('first'));
  appendRecord(one, initial.records, 'first');
  appendRecord(file.records, one.slice(), '', beacon);
  return file;
}

/** Where the content of each section starts; section 1 first. */
const offsets = (() => {
  const { bytes, ...file } = initialFile(power);
  const names = [...pointSections.map(({ name }) => name), 'records'] as const;
  return [24, ...names.map((name) => file[name].byteOffset - bytes.byteOffset)];
})();

const refused = (bytes: Uint8Array, expected: string, metadata = {}): void => {
  expect(() => parsePowersFile(bytes)).toThrow(
    expect.objectContaining({
      code: expected,
      metadata: expect.objectContaining(metadata) as object,
    }),
  );
};

const changed = (change: (bytes: Buffer) => void): Uint8Array => {
  const bytes = Buffer.from(fileWithRecords().bytes);
  change(bytes);
  return bytes;
};

describe('a .ptau file', () => {
  it('is read as it was written, without copies', () => {
    const file = fileWithRecords();
    const read = parsePowersFile(file.bytes);
    expect(read.power).toBe(power);
    for (const { name, group } of pointSections) {
      expect(Buffer.from(read[name]).equals(file[name])).toBe(true);
      expect(read[name].buffer).toBe(file.bytes.buffer);
      expect(read[name]).toHaveLength(pointCount(name, power) * (group === 'g1' ? 64 : 128));
    }
    const [first, last] = parseRecords(read.records);
    expect(first).toMatchObject({ name: 'first' });
    expect(first).not.toHaveProperty('beacon');
    expect(last).not.toHaveProperty('name');
    expect(last.beacon?.iterationsExp).toBe(12);
    expect(Buffer.from(last.beacon!.hash).equals(beacon.hash)).toBe(true);
  });

  it('may be a view into a larger buffer', () => {
    const { bytes } = fileWithRecords();
    const around = new Uint8Array(bytes.length + 7);
    around.set(bytes, 3);
    const file = parsePowersFile(around.subarray(3, 3 + bytes.length));
    expect(parseRecords(file.records)).toHaveLength(2);
  });

  it.each([8, 10, 17])('has a known length for power %i', (of) => {
    expect(parsePowersFile(initialFile(of).bytes).power).toBe(of);
    expect(initialFile(of).bytes.length).toBe(powersFileLimit(of) - recordsLimit + 4);
  });

  it.each([7, 18, 8.5, -1])('is not made for power %d', (of) => {
    expect(() => initialFile(of)).toThrow(
      expect.objectContaining({ code: code.POWER_OUT_OF_RANGE }),
    );
  });

  it('is refused at every length but its own', () => {
    const { bytes } = fileWithRecords();
    for (const length of [0, 1, 11, 12, 23, 67, 68, 1000, bytes.length - 1]) {
      expect(() => parsePowersFile(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ name: 'CeremonyError' }),
      );
    }
    refused(Buffer.concat([bytes, Buffer.of(0)]), code.FILE_MALFORMED);
    refused(Buffer.concat([bytes, Buffer.alloc(500_000)]), code.FILE_MALFORMED);
  });

  it.each([
    ['magic', 0],
    ['version', 4],
    ['number of sections', 8],
    ['id of the header', 12],
    ['length of the header', 16],
  ])('is refused with another %s', (_, at) => {
    refused(
      changed((bytes) => (bytes[at] ^= 1)),
      code.FILE_MALFORMED,
      { section: 1 },
    );
  });

  it('is refused with another id, order or length of a section', () => {
    for (const [place, offset] of offsets.slice(1).entries()) {
      for (const at of [offset - 12, offset - 8, offset - 1]) {
        const bytes = changed((all) => (all[at] ^= 1));
        refused(bytes, code.FILE_MALFORMED, { section: place + 2 });
      }
    }
    const swapped = changed((bytes) => {
      bytes.writeUInt32LE(5, offsets[3] - 12);
      bytes.writeUInt32LE(4, offsets[4] - 12);
    });
    refused(swapped, code.FILE_MALFORMED, { section: 4 });
  });

  it('is refused for another curve or size', () => {
    refused(
      changed((bytes) => (bytes[offsets[0]] ^= 1)),
      code.HEADER_INVALID,
    );
    refused(
      changed((bytes) => (bytes[offsets[0] + 20] ^= 1)),
      code.HEADER_INVALID,
    );
    refused(
      changed((bytes) => (bytes[offsets[0] + 36] ^= 1)),
      code.HEADER_INVALID,
    );
    refused(
      changed((bytes) => (bytes[offsets[0] + 40] ^= 1)),
      code.HEADER_INVALID,
    );
    for (const of of [7, 18, 0x8000_0008]) {
      const bytes = changed((all) => {
        all.writeUInt32LE(of, offsets[0] + 36);
        all.writeUInt32LE(of, offsets[0] + 40);
      });
      refused(bytes, code.HEADER_INVALID);
    }
    // A file of another known size is too short or too long for what its header says.
    for (const of of [9, 17]) {
      const bytes = changed((all) => {
        all.writeUInt32LE(of, offsets[0] + 36);
        all.writeUInt32LE(of, offsets[0] + 40);
      });
      refused(bytes, code.FILE_MALFORMED, { section: 7 });
    }
  });

  it('is refused with a coordinate that is not below the prime', () => {
    for (const { id, name } of pointSections) {
      const { length, byteOffset } = fileWithRecords()[name];
      for (const coordinate of [0, 1, length / 32 - 1]) {
        const bytes = changed((all) => primeBytes.copy(all, byteOffset + 32 * coordinate));
        refused(bytes, code.COORDINATE_NOT_CANONICAL, { section: id, coordinate });
      }
    }
    const below = changed((all) => {
      primeBytes.copy(all, offsets[1]);
      all[offsets[1]] -= 1;
    });
    expect(parsePowersFile(below).power).toBe(power);
    const top = changed((all) => all.fill(255, offsets[1] + 31, offsets[1] + 32));
    refused(top, code.COORDINATE_NOT_CANONICAL);
  });
});

describe('the records of a file', () => {
  const section = (): Buffer => Buffer.from(fileWithRecords().records);
  const first = 4;
  const firstTail = first + recordLength('first') - 8 - 7;
  const second = first + recordLength('first');
  const secondTail = second + recordLength('', beacon) - 8 - 36;

  const refusedRecords = (change: (bytes: Buffer) => Buffer | void): void => {
    const bytes = section();
    expect(() => parseRecords(change(bytes) ?? bytes)).toThrow(
      expect.objectContaining({ code: code.RECORD_MALFORMED }),
    );
  };

  it('are refused with another number or length', () => {
    for (const count of [0, 1, 3, 15, 2 ** 31]) {
      refusedRecords((bytes) => void bytes.writeUInt32LE(count, 0));
    }
    for (const length of [0, 3, 4, 100, second, second + 10]) {
      refusedRecords((bytes) => bytes.subarray(0, length));
    }
    refusedRecords((bytes) => Buffer.concat([bytes, Buffer.of(0)]));
    refusedRecords((bytes) => bytes.subarray(0, -1));
  });

  it('are refused with a coordinate that is not below the prime', () => {
    for (const at of [0, 32 * 3, 1504 - 288 - 32]) {
      const bytes = section();
      primeBytes.copy(bytes, second + at);
      expect(() => parseRecords(bytes)).toThrow(
        expect.objectContaining({ code: code.COORDINATE_NOT_CANONICAL }),
      );
    }
  });

  it('are refused with another type', () => {
    refusedRecords((bytes) => void bytes.writeUInt32LE(1, firstTail));
    refusedRecords((bytes) => void bytes.writeUInt32LE(2, firstTail));
    refusedRecords((bytes) => void bytes.writeUInt32LE(0, secondTail));
  });

  it('are refused with parameters in another form', () => {
    const name = firstTail + 8;
    refusedRecords((bytes) => void bytes.writeUInt32LE(6, firstTail + 4));
    refusedRecords((bytes) => void bytes.writeUInt32LE(2 ** 32 - 1, firstTail + 4));
    refusedRecords((bytes) => void (bytes[name] = 2));
    refusedRecords((bytes) => void (bytes[name + 1] = 4));
    refusedRecords((bytes) => void (bytes[name + 1] = 6));
    refusedRecords((bytes) => void (bytes[name + 1] = 0));
    refusedRecords((bytes) => void (bytes[name + 2] = 0x1b));
    refusedRecords((bytes) => void (bytes[name + 2] = 0xc3));
    const parameters = secondTail + 8;
    refusedRecords((bytes) => void (bytes[parameters] = 1));
    refusedRecords((bytes) => void (bytes[parameters + 1] = 9));
    refusedRecords((bytes) => void (bytes[parameters + 1] = 25));
    refusedRecords((bytes) => void (bytes[parameters + 2] = 2));
    refusedRecords((bytes) => void (bytes[parameters + 3] = 31));
  });
});
