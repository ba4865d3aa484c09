/**
 * Writes test/vectors/programs.json: `node test/vectors/programs.ts`. The bytes are put together here
 * a second time, field by field.
 */
import { writeFileSync } from 'node:fs';

type Field = [kind: 'ascii' | 'hex', value: string] | [kind: 'u8' | 'i32' | 'i64', value: number | bigint];

const widths = { u8: 8, i32: 32, i64: 64 };

function bytesOf(...fields: Field[]): string {
  return fields
    .map(([kind, value]) => {
      if (kind === 'ascii') return Buffer.from(value, 'ascii').toString('hex');
      if (kind === 'hex') return value;
      const digits = BigInt.asUintN(widths[kind], BigInt(value)).toString(16);
      return Buffer.from(digits.padStart(widths[kind] / 4, '0'), 'hex').reverse().toString('hex');
    })
    .join('');
}

const [a, b, c] = ['11', '22', 'ee'].map((byte) => byte.repeat(32));
const handle = (hex: string): string => `0x${hex}`;
const start: Field = ['ascii', 'keyloom/program/1'];
const u8 = (...values: number[]): Field[] => values.map((value) => ['u8', value]);

const vectors = [
  {
    name: 'a product and a rotation',
    listing: 'r1 = a * b; r2 = rotate(c, 1); r1 + r2',
    names: { a: handle(a), b: handle(b), c: handle(c) },
    program: {
      inputs: [a, b, c].map(handle),
      steps: [
        { operation: 'multiply', left: 0, right: 1 },
        { operation: 'rotateRows', of: 2, steps: 1 },
        { operation: 'add', left: 3, right: 4 },
      ],
    },
    bytes: bytesOf(
      start,
      ...u8(3),
      ...[a, b, c].map((hex): Field => ['hex', hex]),
      ...u8(3, 3, 0, 1, 8, 2),
      ['i32', 1],
      ...u8(1, 3, 4),
    ),
  },
  {
    name: 'every operation',
    listing:
      'r1 = rekey(b); r2 = a + r1; r3 = r2 - a; r4 = r3 * r3; r5 = -r4; r6 = swap(r5); ' +
      'r7 = down(r6); r8 = rotate(r7, -3); r9 = r8 + -7; r9 * 1000000',
    names: { a: handle(a), b: handle(b) },
    program: {
      inputs: [a, b].map(handle),
      steps: [
        { operation: 'switchKey', of: 1 },
        { operation: 'add', left: 0, right: 2 },
        { operation: 'subtract', left: 3, right: 0 },
        { operation: 'multiply', left: 4, right: 4 },
        { operation: 'negate', of: 5 },
        { operation: 'swapRows', of: 6 },
        { operation: 'switchDown', of: 7 },
        { operation: 'rotateRows', of: 8, steps: -3 },
        { operation: 'addScalar', of: 9, scalar: '-7' },
        { operation: 'multiplyScalar', of: 10, scalar: '1000000' },
      ],
    },
    bytes: bytesOf(
      start,
      ...u8(2),
      ['hex', a],
      ['hex', b],
      ...u8(10),
      ...u8(7, 1),
      ...u8(1, 0, 2),
      ...u8(2, 3, 0),
      ...u8(3, 4, 4),
      ...u8(4, 5),
      ...u8(5, 6),
      ...u8(6, 7),
      ...u8(8, 8),
      ['i32', -3],
      ...u8(9, 9),
      ['i64', -7],
      ...u8(10, 10),
      ['i64', 1000000],
    ),
  },
];
writeFileSync(
  new URL('programs.json', import.meta.url),
  `${JSON.stringify(vectors, undefined, 2)}\n`,
);
