import { isAddress, type Address, type Hex } from 'viem';

import { SdkError, SdkErrorCode } from '../../../sdk/errors.ts';

/**
 * Reads JSON of an operator that may be malicious, field by field. Every method throws SdkError
 * `BAD_ANSWER` for what is missing, of another type or too large; nothing is converted or defaulted.
 */
export class Fields {
  readonly #value: Record<string, unknown>;
  readonly #source: string;

  /** @param source who said it, and what of it this is */
  constructor(value: unknown, source: string) {
    this.#source = source;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.refused('not an object');
    this.#value = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name);
  }

  fields(name: string): Fields {
    return new Fields(this.#of(name), `${this.#source}, ${name}`);
  }

  list(name: string, maximum: number): Fields[] {
    return this.#array(name, maximum).map(
      (entry, position) => new Fields(entry, `${this.#source}, ${name} ${position}`),
    );
  }

  /** Hex of exactly so many bytes. Lower case in any case, as ids are compared as text. */
  bytes(name: string, length: number): Hex {
    return this.#hex(this.#of(name), length, name);
  }

  bytesList(name: string, length: number, maximum: number): Hex[] {
    return this.#array(name, maximum).map((entry) => this.#hex(entry, length, name));
  }

  address(name: string): Address {
    const value = this.#of(name);
    if (typeof value === 'string' && isAddress(value, { strict: false })) return value;
    throw this.refused(`${name} is no address`);
  }

  integer(name: string, minimum: number, maximum: number): number {
    const value = this.#of(name);
    if (Number.isSafeInteger(value)) {
      const integer = value as number;
      if (integer >= minimum && integer <= maximum) return integer;
    }
    throw this.refused(`${name} is no integer of ${minimum} to ${maximum}`);
  }

  text(name: string, pattern: RegExp): string {
    const value = this.#of(name);
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw this.refused(`${name} is not what it can be`);
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.#of(name));
    if (found !== undefined) return found;
    throw this.refused(`${name} is none of ${choices.join(', ')}`);
  }

  /** The error for what cannot be used. It has nothing of what the operator said. */
  refused(why: string): SdkError {
    return new SdkError(SdkErrorCode.BAD_ANSWER, `${this.#source}: ${why}`);
  }

  #of(name: string): unknown {
    return this.has(name) ? this.#value[name] : undefined;
  }

  #array(name: string, maximum: number): unknown[] {
    const value = this.#of(name);
    if (Array.isArray(value) && value.length <= maximum) return value;
    throw this.refused(`${name} is no list of at most ${maximum}`);
  }

  #hex(value: unknown, length: number, name: string): Hex {
    if (
      typeof value === 'string' &&
      value.length === 2 + 2 * length &&
      /^0x[0-9a-fA-F]*$/.test(value)
    )
      return value.toLowerCase() as Hex;
    throw this.refused(`${name} is not ${length} bytes in hex`);
  }
}
