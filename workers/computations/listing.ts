import type { Hex } from 'viem';
import { ComputationError, ComputationErrorCode } from './errors.ts';
import type { Program, Register, Step } from './program.ts';

/**
 * A program as an expression that compiles to it again: a step after the other, each with a name but
 * the last.
 *
 * @param names of the handles of its inputs, as `compileExpression` takes them, and no other
 * @throws ComputationError INPUTS_MISMATCH if an input has no name
 */
export function listingOf(program: Program, names: Readonly<Record<string, Hex>>): string {
  const inputs = program.inputs.map((handle) => {
    const named = Object.entries(names).find(([, other]) => other.toLowerCase() === handle);
    if (named !== undefined) return named[0];
    throw new ComputationError(ComputationErrorCode.INPUTS_MISMATCH, 'an input has no name', {
      metadata: { handle },
    });
  });
  const taken = (number: number): boolean => Object.hasOwn(names, `r${number}`);
  const registers = [...inputs];
  const lines: string[] = [];
  let number = 0;
  for (const step of program.steps) {
    do number++;
    while (taken(number));
    registers.push(`r${number}`);
    lines.push(`r${number} = ${textOf(step, (register) => registers[register])}`);
  }
  const last = lines.length - 1;
  lines[last] = lines[last].slice(lines[last].indexOf('=') + 2);
  return lines.join('; ');
}

function textOf(step: Step, name: (register: Register) => string): string {
  switch (step.operation) {
    case 'add':
      return `${name(step.left)} + ${name(step.right)}`;
    case 'subtract':
      return `${name(step.left)} - ${name(step.right)}`;
    case 'multiply':
      return `${name(step.left)} * ${name(step.right)}`;
    case 'negate':
      return `-${name(step.of)}`;
    case 'rotateRows':
      return `rotate(${name(step.of)}, ${step.steps})`;
    case 'swapRows':
      return `swap(${name(step.of)})`;
    case 'switchDown':
      return `down(${name(step.of)})`;
    case 'switchKey':
      return `rekey(${name(step.of)})`;
    case 'addScalar':
      return `${name(step.of)} + ${step.scalar.toString()}`;
    case 'multiplyScalar':
      return `${name(step.of)} * ${step.scalar.toString()}`;
  }
}
