import { isHex, parseUnits, size, type Hex } from 'viem';

import type { Values } from '../sdk/index.ts';
import { isKeyloomError } from '../workers/errors.ts';
import { RingErrorCode } from '../workers/ring/errors.ts';
import { parameterSet, parameterSets, type ParameterSet } from '../workers/ring/parameters.ts';
import { ClientError, ClientErrorCode } from './support/errors.ts';

const MAX_TIMEOUT_S = 86_400;

/** The error for an argument that cannot be used. */
export function invalidArgument(message: string): ClientError {
  return new ClientError(ClientErrorCode.INVALID_ARGUMENT, message, {
    advice: 'Run the task with --help for its options.',
  });
}

/** A required option's text. @throws ClientError `INVALID_ARGUMENT` */
export function required(value: string | undefined, option: string): string {
  if (value !== undefined && value !== '') return value;
  throw invalidArgument(`${option} is missing`);
}

/** A 32-byte id. @throws ClientError `INVALID_ARGUMENT` */
export function idOf(value: string | undefined, option: string): Hex {
  const text = required(value, option);
  if (isHex(text) && size(text) === 32 && text.length === 66) return text.toLowerCase() as Hex;
  throw invalidArgument(`${option} must be an id: 0x and 64 hex digits`);
}

/** Bytes in hex, with or without 0x. @throws ClientError `INVALID_ARGUMENT` */
export function hexOf(value: string | undefined, option: string): Hex {
  const digits = required(value, option).replace(/^0x/, '');
  if (/^([0-9a-fA-F]{2})+$/.test(digits)) return `0x${digits.toLowerCase()}`;
  throw invalidArgument(`${option} must be bytes in hex`);
}

/** The parts of a list separated by commas. @throws ClientError `INVALID_ARGUMENT` */
export function listOf(value: string | undefined, option: string): string[] {
  const parts = required(value, option).split(',');
  if (parts.every((part) => part.trim() !== '')) return parts.map((part) => part.trim());
  throw invalidArgument(`${option} has an empty entry`);
}

/** A non-negative integer in decimal. @throws ClientError `INVALID_ARGUMENT` */
export function integerOf(text: string, option: string): bigint {
  if (/^\d{1,78}$/.test(text)) return BigInt(text);
  throw invalidArgument(`${option} must be a non-negative integer: ${text}`);
}

/** A positive amount of a token as people write it, in its smallest unit. @throws ClientError `INVALID_ARGUMENT` */
export function amountOf(text: string, option: string, decimals: number): bigint {
  const [, fraction = ''] = text.split('.');
  if (/^\d{1,60}(\.\d+)?$/.test(text) && fraction.length <= decimals) {
    const amountWei = parseUnits(text, decimals);
    if (amountWei > 0n) return amountWei;
  }
  throw invalidArgument(`${option} must be an amount of tokens such as 2.5: ${text}`);
}

/**
 * Rotation steps: `default`, or integers separated by commas; 0 is the columns.
 * @throws ClientError `INVALID_ARGUMENT`
 */
export function stepsOf(value: string, option: string): 'default' | number[] {
  if (value === 'default') return value;
  return listOf(value, option).map((step) => {
    if (/^-?\d{1,9}$/.test(step)) return Number(step);
    throw invalidArgument(`${option} must be default, or integers separated by commas: ${step}`);
  });
}

/** A time limit in seconds as milliseconds. @throws ClientError `INVALID_ARGUMENT` */
export function timeoutOf(seconds: number): number {
  if (seconds >= 1 && seconds <= MAX_TIMEOUT_S) return seconds * 1000;
  throw invalidArgument(`--timeout must be 1 to ${MAX_TIMEOUT_S} seconds`);
}

/**
 * A parameter set by its name.
 *
 * @throws ClientError `INVALID_ARGUMENT`; RingError SCHEME_UNSUPPORTED for sets of BGV and CKKS
 */
export function setOf(name: string): ParameterSet {
  try {
    return parameterSet(name);
  } catch (error) {
    if (!isKeyloomError(error, RingErrorCode.PARAMETER_SET_UNKNOWN)) throw error;
    throw invalidArgument(
      `--set must be one of ${parameterSets.map((set) => set.name).join(', ')}`,
    );
  }
}

/** What is to be encrypted: slots, or one number. @throws ClientError `INVALID_ARGUMENT` */
export function valuesOf(args: { slots: string | undefined; scalar: string | undefined }): Values {
  if ((args.slots === undefined) === (args.scalar === undefined))
    throw invalidArgument('give either --slots or --scalar');
  if (args.scalar !== undefined) return { scalar: integerOf(args.scalar, '--scalar') };
  return { slots: listOf(args.slots, '--slots').map((one) => integerOf(one, '--slots')) };
}
