import { describe, expect, it } from 'vitest';
import { ComputationErrorCode as Code } from '../../../workers/computations/errors.ts';
import { compileExpression } from '../../../workers/computations/expression.ts';
import { listingOf } from '../../../workers/computations/listing.ts';
import type { Program, Step } from '../../../workers/computations/program.ts';
import { MAX_EXPRESSION_LENGTH } from '../../../workers/computations/tokens.ts';
import { errorOf, failing, handleOf, programVectors } from './support.ts';
import { randomProgram } from './random-program.ts';

const [a, b, c] = [1, 2, 3].map(handleOf);
const names = { a, b, c };
const sum = (left: number, right: number): Step => ({ operation: 'add', left, right });
const product = (left: number, right: number): Step => ({ operation: 'multiply', left, right });
const difference = (left: number, right: number): Step => ({
  ...{ operation: 'subtract', left, right },
});
const plus = (of: number, scalar: bigint): Step => ({ operation: 'addScalar', of, scalar });
const times = (of: number, scalar: bigint): Step => ({ operation: 'multiplyScalar', of, scalar });
const negated = (of: number): Step => ({ operation: 'negate', of });

describe('an expression', () => {
  const cases: [string, readonly Step[]][] = [
    [
      'a * b + rotate(c, 1)',
      [product(0, 1), { operation: 'rotateRows', of: 2, steps: 1 }, sum(3, 4)],
    ],
    ['a + b * c', [product(1, 2), sum(0, 3)]],
    ['(a + b) * c', [sum(0, 1), product(3, 2)]],
    ['a - b - c', [difference(0, 1), difference(3, 2)]],
    ['a - (b - c)', [difference(1, 2), difference(0, 3)]],
    ['a - b * -c', [negated(2), product(1, 3), difference(0, 4)]],
    ['-a * b - c', [negated(0), product(3, 1), difference(4, 2)]],
    ['- - a+b+c', [negated(0), negated(3), sum(4, 1), sum(5, 2)]],
    ['a + b + c + 2', [sum(0, 1), sum(3, 2), plus(4, 2n)]],
    ['2 - 5 + a + b + c', [plus(0, -3n), sum(3, 1), sum(4, 2)]],
    ['7 - a + b + c', [negated(0), plus(3, 7n), sum(4, 1), sum(5, 2)]],
    ['a - 7 + b + c', [plus(0, -7n), sum(3, 1), sum(4, 2)]],
    ['3 * a + b * (2 - 4 * 2) + c', [times(0, 3n), times(1, -6n), sum(3, 4), sum(5, 2)]],
    ['a*b*c', [product(0, 1), product(3, 2)]],
    [
      'swap(down(rekey(a))) + b + c',
      [
        { operation: 'switchKey', of: 0 },
        { operation: 'switchDown', of: 3 },
        { operation: 'swapRows', of: 4 },
        sum(5, 1),
        sum(6, 2),
      ],
    ],
    [
      'rotate(a + b, -(1 + 2)) + c',
      [sum(0, 1), { operation: 'rotateRows', of: 3, steps: -3 }, sum(4, 2)],
    ],
    ['k = 3; x = a*b;\n x * k + x + c', [product(0, 1), times(3, 3n), sum(4, 3), sum(5, 2)]],
  ];
  it.each(cases)('%s', (text, steps) => {
    expect(compileExpression(text, names)).toEqual({ inputs: [a, b, c], steps });
  });

  it('computes once what is written twice, in either order', () => {
    const shared = [sum(0, 1), product(2, 2)];
    expect(compileExpression('(a + b) * (b + a)', { a, b }).steps).toEqual(shared);
    const both = [difference(0, 1), difference(1, 0), product(2, 3)];
    expect(compileExpression('(a - b) * (b - a)', { a, b }).steps).toEqual(both);
  });

  it('has the inputs in the order of their handles, each once, however they are written', () => {
    const upper = handleOf(0xaa).toUpperCase().replace('X', 'x') as typeof a;
    const program = compileExpression('x + y + z', { x: upper, y: b, z: handleOf(0xaa) });
    expect(program).toEqual({ inputs: [b, handleOf(0xaa)], steps: [sum(1, 0), sum(2, 1)] });
  });

  it('may call a ciphertext what a function is called', () => {
    const { steps } = compileExpression('rotate(rotate, 1)', { rotate: a });
    expect(steps).toEqual([{ operation: 'rotateRows', of: 0, steps: 1 }]);
  });
});

describe('an expression that is none points at the place', () => {
  const deep = `${'('.repeat(65)}a${')'.repeat(65)}`;
  const cases: [string, Code, number][] = [
    ['', Code.EXPRESSION_UNEXPECTED, 1],
    ['   ', Code.EXPRESSION_UNEXPECTED, 1],
    ['a b', Code.EXPRESSION_UNEXPECTED, 3],
    ['a + ', Code.EXPRESSION_UNEXPECTED, 4],
    ['a +  * b', Code.EXPRESSION_UNEXPECTED, 6],
    ['a % b', Code.EXPRESSION_UNEXPECTED, 3],
    ['a +\n\tb $', Code.EXPRESSION_UNEXPECTED, 8],
    ['(a + b', Code.EXPRESSION_UNEXPECTED, 7],
    ['a + b)', Code.EXPRESSION_UNEXPECTED, 6],
    ['rotate(a)', Code.EXPRESSION_UNEXPECTED, 9],
    ['swap(a, 1)', Code.EXPRESSION_UNEXPECTED, 7],
    ['x = a', Code.EXPRESSION_UNEXPECTED, 6],
    ['x = a; ', Code.EXPRESSION_UNEXPECTED, 7],
    ['1.5 * a', Code.EXPRESSION_UNEXPECTED, 2],
    ['a + d', Code.EXPRESSION_NAME_UNKNOWN, 5],
    ['spin(a, 1)', Code.EXPRESSION_NAME_UNKNOWN, 1],
    ['toString + a', Code.EXPRESSION_NAME_UNKNOWN, 1],
    ['x = x; x', Code.EXPRESSION_NAME_UNKNOWN, 5],
    ['a = b + 1; a', Code.EXPRESSION_NAME_TAKEN, 1],
    ['x = a + 1; x = b; x', Code.EXPRESSION_NAME_TAKEN, 12],
    ['swap = a + 1; swap', Code.EXPRESSION_NAME_TAKEN, 1],
    ['y = c; x = a*b; a + b + c', Code.EXPRESSION_NAME_UNUSED, 1],
    ['1 + 2', Code.EXPRESSION_KIND_MISMATCH, 1],
    ['a + swap(2 * 3)', Code.EXPRESSION_KIND_MISMATCH, 10],
    ['rotate(a, b)', Code.EXPRESSION_KIND_MISMATCH, 11],
    ['rotate(a, 1 - 1)', Code.ROTATION_INVALID, 11],
    ['rotate(a, 2147483648)', Code.ROTATION_INVALID, 11],
    ['a + (2 - 2)', Code.SCALAR_INVALID, 3],
    ['a * 9223372036854775808', Code.SCALAR_INVALID, 3],
    [deep, Code.EXPRESSION_TOO_LARGE, 66],
    [`${'-'.repeat(65)}a`, Code.EXPRESSION_TOO_LARGE, 66],
    [`a${' '.repeat(MAX_EXPRESSION_LENGTH)}`, Code.EXPRESSION_TOO_LARGE, MAX_EXPRESSION_LENGTH + 1],
  ];
  it.each(cases)('%s', (text, code, column) => {
    const error = errorOf(() => compileExpression(text, names));
    expect([error?.code, error?.metadata.column]).toEqual([code, column]);
  });

  it('or names the ciphertext that it does not use', () => {
    const error = errorOf(() => compileExpression('a + b', names));
    expect([error?.code, error?.metadata.name]).toEqual([Code.EXPRESSION_NAME_UNUSED, 'c']);
  });

  it('or what no program may be', () => {
    expect(() => compileExpression('a', { a })).toThrow(failing(Code.STEPS_INVALID));
    const long = Array.from({ length: 33 }, (_, at) => `a + ${at + 1}`);
    const text = long.join(' + ');
    expect(() => compileExpression(text, { a })).toThrow(failing(Code.STEPS_INVALID));
    expect(() => compileExpression('a + 1', { a: '0x12' })).toThrow(failing(Code.INPUTS_INVALID));
  });
});

describe('a listing', () => {
  it.each(programVectors)('is that of the vector: $name', ({ program, names, listing }) => {
    expect(listingOf(program, names)).toBe(listing);
    expect(compileExpression(listing, names)).toEqual(program);
  });

  it('compiles to the program again, whichever it is', () => {
    for (let seed = 0; seed < 200; seed++) {
      const program: Program = randomProgram(`listing/${seed}`, { rekeyed: true });
      const named = Object.fromEntries(program.inputs.map((handle, at) => [`r${2 * at}`, handle]));
      expect(compileExpression(listingOf(program, named), named)).toEqual(program);
    }
  });

  it('needs a name for every input', () => {
    const [{ program }] = programVectors;
    expect(() => listingOf(program, { a })).toThrow(failing(Code.INPUTS_MISMATCH));
  });
});
