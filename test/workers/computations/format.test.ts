import { describe, expect, it } from 'vitest';
import { ComputationErrorCode as Code } from '../../../workers/computations/errors.ts';
import {
  MAX_PROGRAM_BYTES,
  parseProgram,
  serializeProgram,
} from '../../../workers/computations/format.ts';
import { MAX_INPUTS, MAX_STEPS, requireProgram } from '../../../workers/computations/program.ts';
import type { Program, Step } from '../../../workers/computations/program.ts';
import { errorOf, failing, handleOf, programOf, programVectors } from './support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** The longest program: each step has a constant, and the last ones read all inputs. */
const longest: Program = programOf(
  MAX_INPUTS,
  ...Array.from({ length: MAX_STEPS }, (_, at): Step => {
    const last = MAX_INPUTS + at - 1;
    return at < MAX_INPUTS - 1
      ? { operation: 'add', left: at === 0 ? 0 : last, right: at + 1 }
      : { operation: 'addScalar', of: last, scalar: 1n };
  }),
);

describe('the bytes of a program', () => {
  it.each(programVectors)('are those of the vector: $name', ({ program, bytes }) => {
    expect(hex(serializeProgram(program))).toBe(bytes);
    expect(parseProgram(bytesOf(bytes))).toEqual(program);
  });

  it('are within the bound, and there are inputs and steps up to theirs', () => {
    const bytes = serializeProgram(longest);
    expect(parseProgram(bytes)).toEqual(longest);
    expect(bytes.length).toBeLessThanOrEqual(MAX_PROGRAM_BYTES);
    const constants = programOf(
      1,
      ...Array.from({ length: MAX_STEPS }, (_, of): Step => ({
        ...{ operation: 'addScalar', of, scalar: -(1n << 63n) },
      })),
    );
    const wordy = serializeProgram(constants);
    expect(parseProgram(wordy)).toEqual(constants);
    expect(wordy.length + (MAX_INPUTS - 1) * 32).toBe(MAX_PROGRAM_BYTES);
  });

  it('may lie anywhere in memory', () => {
    const [{ program, bytes }] = programVectors;
    const inside = Buffer.concat([Buffer.alloc(3), bytesOf(bytes), Buffer.alloc(5)]);
    expect(parseProgram(inside.subarray(3, -5))).toEqual(program);
  });
});

describe('bytes that are no program are refused', () => {
  const [, { bytes }] = programVectors;
  const whole = bytesOf(bytes);
  const stepsAt = 17 + 1 + 2 * 32;
  const edited = (at: number, value: number): Uint8Array => {
    const copy = whole.slice();
    copy[at] = value;
    return copy;
  };

  it('cut off anywhere', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseProgram(whole.subarray(0, length))).toThrow(failing(Code.TRUNCATED));
    }
  });

  it('with bytes after the end', () => {
    const long = Buffer.concat([whole, Buffer.alloc(1)]);
    expect(() => parseProgram(long)).toThrow(failing(Code.TRAILING_BYTES));
  });

  it.each([
    ...Array.from({ length: 17 }, (_, at) => ({ at, value: 0x20, code: Code.TAG_UNKNOWN })),
    { at: 17, value: 0, code: Code.INPUTS_INVALID },
    { at: 17, value: MAX_INPUTS + 1, code: Code.INPUTS_INVALID },
    { at: stepsAt, value: 0, code: Code.STEPS_INVALID },
    { at: stepsAt, value: MAX_STEPS + 1, code: Code.STEPS_INVALID },
    { at: stepsAt + 1, value: 0, code: Code.OPERATION_UNKNOWN },
    { at: stepsAt + 1, value: 11, code: Code.OPERATION_UNKNOWN },
    { at: stepsAt + 2, value: 2, code: Code.REGISTER_INVALID },
    { at: stepsAt + 2, value: 255, code: Code.REGISTER_INVALID },
  ])('with byte $at set to $value: $code', ({ at, value, code }) => {
    expect(() => parseProgram(edited(at, value))).toThrow(failing(code));
  });

  it('whatever one byte is changed to: refused with a code, or another program with these bytes', () => {
    let programs = 0;
    for (let at = 0; at < whole.length; at++) {
      for (const bit of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const copy = edited(at, whole[at] ^ (1 << bit));
        let program: Program | undefined;
        const error = errorOf(() => (program = parseProgram(copy)));
        if (error !== undefined) continue;
        programs++;
        expect(hex(serializeProgram(program!))).toBe(hex(copy));
      }
    }
    expect(programs).toBeGreaterThan(0);
  });
});

describe('programs are refused', () => {
  const negate = (of: number): Step => ({ operation: 'negate', of });
  const add = (left: number, right: number): Step => ({ operation: 'add', left, right });
  const scalar = (value: bigint): Step => ({ operation: 'addScalar', of: 0, scalar: value });
  const rotate = (steps: number): Step => ({ operation: 'rotateRows', of: 0, steps });
  const over = (inputs: string[], ...steps: Step[]): Program => ({
    inputs: inputs as Program['inputs'],
    steps,
  });
  const [h1, h2] = [handleOf(1), handleOf(2)];

  const cases: [string, Program, Code][] = [
    ['without inputs', over([], negate(0)), Code.INPUTS_INVALID],
    [
      'with too many inputs',
      programOf(17, ...Array.from({ length: 16 }, (_, i) => add(i === 0 ? 0 : 16 + i, i + 1))),
      Code.INPUTS_INVALID,
    ],
    ['with a short handle', over([h1.slice(0, -2)], negate(0)), Code.INPUTS_INVALID],
    [
      'with a handle in upper case',
      over([handleOf(0xab).toUpperCase().replace('X', 'x')], negate(0)),
      Code.INPUTS_INVALID,
    ],
    ['with inputs out of order', over([h2, h1], add(0, 1)), Code.INPUTS_UNORDERED],
    ['with an input twice', over([h1, h1], add(0, 1)), Code.INPUTS_UNORDERED],
    ['without steps', programOf(1), Code.STEPS_INVALID],
    [
      'with too many steps',
      programOf(1, ...Array.from({ length: 33 }, (_, at) => negate(at))),
      Code.STEPS_INVALID,
    ],
    ['that read what is not yet there', programOf(1, negate(1)), Code.REGISTER_INVALID],
    ['that read a negative register', programOf(1, negate(-1)), Code.REGISTER_INVALID],
    ['that read half a register', programOf(1, negate(0.5)), Code.REGISTER_INVALID],
    ['that read no register', programOf(1, negate(Number.NaN)), Code.REGISTER_INVALID],
    ['with an input that nothing reads', programOf(2, negate(0)), Code.REGISTER_UNUSED],
    [
      'with a result that nothing reads',
      programOf(2, add(0, 1), { operation: 'multiply', left: 0, right: 1 }),
      Code.REGISTER_UNUSED,
    ],
    ['that compute twice the same', programOf(1, negate(0), negate(0)), Code.STEP_REPEATED],
    [
      'that compute twice the same sum',
      programOf(2, add(0, 1), add(1, 0), add(2, 3)),
      Code.STEP_REPEATED,
    ],
    ['with a rotation by 0', programOf(1, rotate(0)), Code.ROTATION_INVALID],
    ['with a rotation by a half', programOf(1, rotate(0.5)), Code.ROTATION_INVALID],
    ['with a rotation by 2^31', programOf(1, rotate(2 ** 31)), Code.ROTATION_INVALID],
    ['with the constant 0', programOf(1, scalar(0n)), Code.SCALAR_INVALID],
    ['with the constant 2^63', programOf(1, scalar(1n << 63n)), Code.SCALAR_INVALID],
  ];
  it.each(cases)('%s', (_, program, code) => {
    expect(() => requireProgram(program)).toThrow(failing(code));
    expect(() => serializeProgram(program)).toThrow(failing(code));
  });

  it('but differences of the same two in both orders are not the same', () => {
    const both = programOf(
      2,
      { operation: 'subtract', left: 0, right: 1 },
      { operation: 'subtract', left: 1, right: 0 },
      { operation: 'multiply', left: 2, right: 3 },
    );
    expect(requireProgram(both)).toBe(both);
  });
});
