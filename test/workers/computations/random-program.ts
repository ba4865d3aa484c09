import { createHash } from 'node:crypto';
import { identityOf, registersOf, requireProgram } from '../../../workers/computations/program.ts';
import type { Program, Register, Step } from '../../../workers/computations/program.ts';
import { handleOf } from './support.ts';

/** Numbers below a bound, from a seed. */
export function seededNumbers(seed: string): (below: number) => number {
  let draws = 0;
  return (below) => {
    const digest = createHash('sha256').update(`${seed}/${draws++}`).digest();
    return digest.readUInt32LE() % below;
  };
}

/** Which programs there are to be. */
export interface RandomOptions {
  readonly inputs?: number;
  /** How many steps at least; some more collect what is not yet read. */
  readonly steps?: number;
  readonly products?: number;
  /** Rotations to choose from. */
  readonly rotations?: readonly number[];
  /** The constants are between -scalars and scalars. */
  readonly scalars?: number;
  /** Whether slots may be moved, levels switched, and the first input be switched to another key. */
  readonly slots?: boolean;
  readonly levels?: boolean;
  readonly rekeyed?: boolean;
}

/** What the second polynomial of a register is a sum of: how often each part. */
type Form = ReadonlyMap<string, number>;

/**
 * The form of a step's result; empty if the result would hide nothing. A ciphertext at a lower level
 * counts as the one that it was.
 */
function formOf(step: Step, [left, right]: readonly Form[]): Form {
  const sum = (scale: number, other: Form): Form => {
    const parts = [...left].map(([part, count]): [string, number] => [part, count * scale]);
    const form = new Map(parts);
    for (const [part, count] of other) form.set(part, (form.get(part) ?? 0) + count);
    return new Map([...form].filter(([, count]) => count !== 0).sort());
  };
  const none: Form = new Map();
  const atom = (...operands: Form[]): Form => {
    const parts = operands.map((form) => JSON.stringify([...form])).sort();
    const steps = 'steps' in step ? step.steps : 0;
    return new Map([[`${step.operation} ${steps} ${parts.join()}`, 1]]);
  };
  switch (step.operation) {
    case 'add':
      return sum(1, right);
    case 'subtract':
      return sum(1, new Map([...right].map(([part, count]) => [part, -count])));
    case 'negate':
      return sum(-1, none);
    case 'multiplyScalar':
      return sum(Number(step.scalar), none);
    case 'addScalar':
    case 'switchDown':
      return left;
    case 'multiply':
      return atom(left, right);
    case 'rotateRows':
    case 'swapRows':
    case 'switchKey':
      return atom(left);
  }
}

/** A program of every kind of step whose registers all hide something, the same for the same seed. */
export function randomProgram(
  seed: string,
  {
    inputs = 3,
    steps: length = 8,
    products = 1,
    rotations = [1, -1, 3],
    scalars = 9,
    slots = true,
    levels = true,
    rekeyed = false,
  }: RandomOptions = {},
): Program {
  const below = seededNumbers(seed);
  const steps: Step[] = [];
  const identities = new Set<string>();
  const unread = new Set<Register>(Array.from({ length: inputs }, (_, at) => at));
  // Levels are switched once for each register at most: two limbs are left of a first level of four.
  const lowered = new Set<Register>();
  const forms: Form[] = Array.from({ length: inputs }, (_, at) => new Map([[`input ${at}`, 1]]));
  let productsLeft = products;
  let first = 0;
  const push = (step: Step): boolean => {
    const identity = identityOf(step);
    const read = registersOf(step);
    const form = formOf(
      step,
      read.map((register) => forms[register]),
    );
    if (identities.has(identity) || form.size === 0) return false;
    identities.add(identity);
    forms.push(form);
    const register = inputs + steps.length;
    for (const one of read) unread.delete(one);
    if (step.operation === 'switchDown' || read.some((one) => lowered.has(one))) {
      lowered.add(register);
    }
    unread.add(register);
    steps.push(step);
    return true;
  };
  if (rekeyed) {
    push({ operation: 'switchKey', of: 0 });
    first = 1;
  }
  const any = (): Register => first + below(inputs + steps.length - first);
  const scalar = (): bigint => {
    const size = BigInt(1 + below(scalars));
    return below(2) === 0 ? size : -size;
  };
  const choices: (() => Step | undefined)[] = [
    () => ({ operation: 'add', left: any(), right: any() }),
    () => ({ operation: 'subtract', left: any(), right: any() }),
    () => (productsLeft-- > 0 ? { operation: 'multiply', left: any(), right: any() } : undefined),
    () => ({ operation: 'negate', of: any() }),
    () => ({ operation: 'addScalar', of: any(), scalar: scalar() }),
    () => ({ operation: 'multiplyScalar', of: any(), scalar: scalar() }),
    () => (slots ? { operation: 'swapRows', of: any() } : undefined),
    () =>
      slots
        ? { operation: 'rotateRows', of: any(), steps: rotations[below(rotations.length)] }
        : undefined,
    () => {
      const of = any();
      return levels && !lowered.has(of) ? { operation: 'switchDown', of } : undefined;
    },
  ];
  while (steps.length < length) {
    const step = choices[below(choices.length)]();
    if (step !== undefined) push(step);
  }
  while (unread.size > 1) {
    const [left, right] = [...unread];
    if (!push({ operation: 'add', left, right })) push({ operation: 'subtract', left, right });
  }
  return requireProgram({
    inputs: Array.from({ length: inputs }, (_, at) => handleOf(at + 1)),
    steps,
  });
}
