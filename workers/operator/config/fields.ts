import { resolve } from 'node:path';
import { isAddress, type Address } from 'viem';

import { OperatorError, OperatorErrorCode } from '../errors.ts';

/** Part of a JSON Schema, draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

/** How a part of the configuration is read, and the schema that says the same. */
export interface Field<T> {
  /**
   * @param path where it is in the configuration, for people: `http.port`
   * @param folder where relative paths start
   * @throws OperatorError CONFIG_INVALID, which names the path
   */
  readonly read: (value: unknown, path: string, folder: string) => T;
  readonly schema: Schema;
  /** What an absent one is; without this function it must be there. */
  readonly absent?: () => T;
}

const invalid = (path: string, what: string): OperatorError =>
  new OperatorError(OperatorErrorCode.CONFIG_INVALID, `${path}: ${what}`, { metadata: { path } });

const string = (value: unknown, path: string): string => {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(path, 'must be a non-empty string');
};

export const text: Field<string> = { read: string, schema: { type: 'string', minLength: 1 } };

/** Of a file or folder. */
export const path: Field<string> = {
  read: (value, at, folder) => resolve(folder, string(value, at)),
  schema: text.schema,
};

export const integer = (minimum: number, maximum: number): Field<number> => ({
  read: (value, at) => {
    if (
      typeof value === 'number' &&
      Number.isInteger(value) &&
      value >= minimum &&
      value <= maximum
    )
      return value;
    throw invalid(at, `must be an integer from ${minimum} to ${maximum}`);
  },
  schema: { type: 'integer', minimum, maximum },
});

const WEI = /^(0|[1-9]\d{0,77})$/;

/** Wei do not fit into JSON's numbers. */
export const wei: Field<bigint> = {
  read: (value, at) => {
    if (typeof value === 'string' && WEI.test(value)) return BigInt(value);
    throw invalid(at, 'must be a string of decimal digits');
  },
  schema: { type: 'string', pattern: WEI.source },
};

export const url: Field<string> = {
  read: (value, at) => {
    const written = string(value, at);
    if (/^https?:\/\//.test(written) && URL.canParse(written)) return written;
    throw invalid(at, 'must be an http(s) URL');
  },
  schema: { type: 'string', pattern: '^https?://.' },
};

/** The schema cannot say that the checksum has to be right. */
export const address: Field<Address> = {
  read: (value, at) => {
    const written = string(value, at);
    if (isAddress(written)) return written;
    throw invalid(at, 'must be an address with a valid checksum');
  },
  schema: { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' },
};

export const listOf = <T>(entry: Field<T>, maximum?: number): Field<T[]> => ({
  read: (value, at, folder) => {
    if (!Array.isArray(value) || value.length === 0) throw invalid(at, 'must be a non-empty list');
    if (maximum !== undefined && value.length > maximum)
      throw invalid(at, `must not have more than ${maximum} entries`);
    return value.map((one, position) => entry.read(one, `${at}[${position}]`, folder));
  },
  schema: {
    ...{ type: 'array', items: entry.schema, minItems: 1 },
    ...(maximum !== undefined && { maxItems: maximum }),
  },
});

/** A list in which nothing comes twice. */
export const distinct = <T extends string>(list: Field<T[]>): Field<T[]> => ({
  read: (value, at, folder) => {
    const entries = list.read(value, at, folder);
    const twice = entries.findIndex((entry, position) => entries.indexOf(entry) < position);
    if (twice >= 0) throw invalid(`${at}[${twice}]`, 'is there already');
    return entries;
  },
  schema: { ...list.schema, uniqueItems: true },
});

export const oneOf = <const T extends string>(names: readonly T[]): Field<T> => ({
  read: (value, at) => {
    const found = names.find((name) => name === value);
    if (found !== undefined) return found;
    throw invalid(at, `must be one of ${names.join(', ')}`);
  },
  schema: { enum: names },
});

/** A field that may be left out: then it is what `fallback`, written as in a configuration, reads as. */
export const withDefault = <T>(field: Field<T>, fallback: unknown): Field<T> => ({
  ...field,
  absent: () => field.read(fallback, 'the default', '/'),
  schema: { ...field.schema, default: fallback },
});

/** A field that may be left out: then there is none. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  ...field,
  absent: () => undefined,
});

/** The same field with what it means, for the schema. */
export const described = <T>(description: string, field: Field<T>): Field<T> => ({
  ...field,
  schema: { description, ...field.schema },
});

type Fields<T> = { readonly [Key in keyof T]-?: Field<T[Key]> };

/** An object with these fields and no others. */
export function group<T extends object>(fields: Fields<T>): Field<T> {
  const entries = Object.entries<Field<unknown>>(fields);
  const read = (value: unknown, at: string, folder: string): T => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(at === '' ? 'the configuration' : at, 'must be an object');
    const below = (key: string): string => (at === '' ? key : `${at}.${key}`);
    for (const key of Object.keys(value))
      if (!Object.hasOwn(fields, key)) throw invalid(below(key), 'is not a known field');
    const given = value as Record<string, unknown>;
    return Object.fromEntries(
      entries.map(([key, field]) => {
        // A field that is named and undefined does not exist in JSON.
        if (given[key] !== undefined) return [key, field.read(given[key], below(key), folder)];
        if (field.absent !== undefined) return [key, field.absent()];
        throw invalid(below(key), 'is missing');
      }),
    ) as T;
  };
  const required = entries.flatMap(([key, { absent }]) => (absent === undefined ? [key] : []));
  const schema = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([key, field]) => [key, field.schema])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { read, schema };
}

/** A group that is there even if it is left out: all of its fields have defaults. */
export const section = <T extends object>(fields: Fields<T>): Field<T> => {
  const field = group(fields);
  return { ...field, absent: () => field.read({}, '', '/') };
};
