import type { Hex } from 'viem';
import { ComputationErrorCode } from './errors.ts';
import { identityOf, requireProgram } from './program.ts';
import type { Program, Register, Step } from './program.ts';
import { expressionError, tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

// Programs as people write them: a*b + rotate(c, 1). docs/computations.md, "Expressions".

/** What a part of an expression stands for: a ciphertext in a register, or a number. */
type Value = { readonly register: Register } | { readonly number: bigint };

/** Parentheses, calls and minus signs within each other. */
const MAX_DEPTH = 64;

/** Functions of a ciphertext. `rotate` also takes a number of slots. */
const functions: Readonly<Record<string, 'rotateRows' | 'swapRows' | 'switchDown' | 'switchKey'>> =
  {
    rotate: 'rotateRows',
    swap: 'swapRows',
    down: 'switchDown',
    rekey: 'switchKey',
  };

/**
 * The program of an expression. What is written twice is computed once.
 *
 * @param names handles that the expression may name, all of which it uses
 * @throws ComputationError the EXPRESSION codes with a column, but for a name that is not used; the
 * codes of `requireProgram` for too many inputs or steps
 */
export function compileExpression(text: string, names: Readonly<Record<string, Hex>>): Program {
  return new Compiler(tokensOf(text), names).program();
}

class Compiler {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  readonly #inputs: readonly Hex[];
  readonly #steps: Step[] = [];
  readonly #computed = new Map<string, Register>();
  readonly #names = new Map<string, { readonly value: Value; readonly column?: number }>();
  readonly #used = new Set<string>();

  constructor(tokens: readonly Token[], names: Readonly<Record<string, Hex>>) {
    this.#tokens = tokens;
    const handles = Object.values(names).map(lowerCase);
    this.#inputs = [...new Set(handles)].sort();
    for (const [name, handle] of Object.entries(names)) {
      const register = this.#inputs.indexOf(lowerCase(handle));
      this.#names.set(name, { value: { register } });
    }
  }

  program(): Program {
    while (this.#isAssignment()) this.#assignment();
    const start = this.#next;
    const result = this.#sum();
    if ('number' in result) throw kindMismatch(start, 'the result is a number, not a ciphertext');
    if (this.#next.kind !== 'end') throw this.#unexpected('an operator or the end');
    for (const [name, { column = 1 }] of this.#names) {
      if (this.#used.has(name)) continue;
      throw expressionError(ComputationErrorCode.EXPRESSION_NAME_UNUSED, column, {
        problem: `${name} is never used`,
        name,
      });
    }
    return requireProgram({ inputs: this.#inputs, steps: this.#steps });
  }

  #isAssignment(): boolean {
    return this.#next.kind === 'name' && this.#tokens[this.#at + 1].text === '=';
  }

  /** name = sum; */
  #assignment(): void {
    const { text: name, column } = this.#take();
    this.#expect('=');
    const value = this.#sum();
    this.#expect(';');
    if (this.#names.has(name) || Object.hasOwn(functions, name)) {
      throw expressionError(ComputationErrorCode.EXPRESSION_NAME_TAKEN, column, {
        problem: `${name} has a meaning already`,
        name,
      });
    }
    this.#names.set(name, { value, column });
  }

  /** product + product - … */
  #sum(): Value {
    let left = this.#product();
    while (this.#next.text === '+' || this.#next.text === '-') {
      const { text, column } = this.#take();
      const right = this.#product();
      left = text === '+' ? this.#add(left, right, column) : this.#subtract(left, right, column);
    }
    return left;
  }

  /** unary * unary * … */
  #product(): Value {
    let left = this.#unary();
    while (this.#next.text === '*') {
      const { column } = this.#take();
      left = this.#multiply(left, this.#unary(), column);
    }
    return left;
  }

  #unary(): Value {
    if (this.#next.text !== '-') return this.#primary();
    this.#take();
    const value = this.#within(() => this.#unary());
    return 'number' in value ? { number: -value.number } : this.#negate(value.register);
  }

  /** A number, a name, a call, or a sum in parentheses. */
  #primary(): Value {
    const token = this.#next;
    if (token.text === '(') {
      this.#take();
      const value = this.#within(() => this.#sum());
      this.#expect(')');
      return value;
    }
    if (token.kind === 'number') return { number: BigInt(this.#take().text) };
    if (token.kind !== 'name') throw this.#unexpected('a name, a number or "("');
    this.#take();
    if (Object.hasOwn(functions, token.text) && this.#next.text === '(') return this.#call(token);
    const meaning = this.#names.get(token.text);
    if (meaning === undefined) {
      throw expressionError(ComputationErrorCode.EXPRESSION_NAME_UNKNOWN, token.column, {
        problem: `nothing is called ${token.text}`,
        name: token.text,
      });
    }
    this.#used.add(token.text);
    return meaning.value;
  }

  #call({ text: name }: Token): Value {
    const operation = functions[name];
    this.#expect('(');
    const start = this.#next;
    const value = this.#within(() => this.#sum());
    if ('number' in value) throw kindMismatch(start, `${name} takes a ciphertext`);
    const of = value.register;
    let step: Step;
    if (operation === 'rotateRows') {
      this.#expect(',');
      const argument = this.#next;
      const steps = this.#within(() => this.#sum());
      if (!('number' in steps)) throw kindMismatch(argument, 'the number of slots is a constant');
      const slots = Number(steps.number);
      if (slots === 0 || slots !== (slots | 0)) {
        throw expressionError(ComputationErrorCode.ROTATION_INVALID, argument.column, {
          problem: 'a rotation is by some slots, to the left or to the right',
        });
      }
      step = { operation, of, steps: slots };
    } else {
      step = { operation, of };
    }
    this.#expect(')');
    return this.#step(step);
  }

  #add(left: Value, right: Value, column: number): Value {
    if ('number' in left) {
      if ('number' in right) return { number: left.number + right.number };
      return this.#scalar('addScalar', right.register, left.number, column);
    }
    if ('number' in right) return this.#scalar('addScalar', left.register, right.number, column);
    return this.#step({ operation: 'add', left: left.register, right: right.register });
  }

  #subtract(left: Value, right: Value, column: number): Value {
    if ('number' in right) return this.#add(left, { number: -right.number }, column);
    if ('number' in left) return this.#add(left, this.#negate(right.register), column);
    return this.#step({ operation: 'subtract', left: left.register, right: right.register });
  }

  #multiply(left: Value, right: Value, column: number): Value {
    if ('number' in left) {
      if ('number' in right) return { number: left.number * right.number };
      return this.#scalar('multiplyScalar', right.register, left.number, column);
    }
    if ('number' in right)
      return this.#scalar('multiplyScalar', left.register, right.number, column);
    return this.#step({ operation: 'multiply', left: left.register, right: right.register });
  }

  #negate(of: Register): { register: Register } {
    return this.#step({ operation: 'negate', of });
  }

  #scalar(
    operation: 'addScalar' | 'multiplyScalar',
    of: Register,
    scalar: bigint,
    column: number,
  ): Value {
    if (scalar === 0n || scalar !== BigInt.asIntN(64, scalar)) {
      throw expressionError(ComputationErrorCode.SCALAR_INVALID, column, {
        problem: 'a constant is not 0 and has at most 64 bits',
      });
    }
    return this.#step({ operation, of, scalar });
  }

  /** The register that holds what a step computes: a new one only if none does. */
  #step(step: Step): { register: Register } {
    const identity = identityOf(step);
    let register = this.#computed.get(identity);
    if (register === undefined) {
      register = this.#inputs.length + this.#steps.length;
      this.#steps.push(step);
      this.#computed.set(identity, register);
    }
    return { register };
  }

  get #next(): Token {
    return this.#tokens[this.#at];
  }

  #take(): Token {
    return this.#tokens[this.#at++];
  }

  #expect(sign: string): void {
    if (this.#next.text !== sign) throw this.#unexpected(`"${sign}"`);
    this.#take();
  }

  #unexpected(expected: string): Error {
    const { kind, text, column } = this.#next;
    const found = kind === 'end' ? 'the end' : `"${text}"`;
    return expressionError(ComputationErrorCode.EXPRESSION_UNEXPECTED, column, {
      problem: `${expected} is expected, not ${found}`,
    });
  }

  #within<Result>(parse: () => Result): Result {
    if (++this.#depth > MAX_DEPTH) {
      throw expressionError(ComputationErrorCode.EXPRESSION_TOO_LARGE, this.#next.column, {
        problem: `more than ${MAX_DEPTH} parts within each other`,
      });
    }
    const result = parse();
    this.#depth--;
    return result;
  }
}

const lowerCase = (handle: Hex): Hex => handle.toLowerCase() as Hex;

const kindMismatch = ({ column }: Token, problem: string): Error =>
  expressionError(ComputationErrorCode.EXPRESSION_KIND_MISMATCH, column, { problem });
