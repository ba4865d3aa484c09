import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isAddress, type Address } from 'viem';

import { defaultTranscriptBytes } from '../store/transcripts.ts';
import { OperatorError, OperatorErrorCode } from './errors.ts';
import { defaultHttpLimits } from './public/http.ts';
import { defaultEvidenceTerms, type EvidenceTerms } from './watchdog/terms.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Bytes of an operator's shares from which on an operation goes through openers: 8 MiB. */
export const LARGE_OPERATION_BYTES = 8 * 2 ** 20;

/** How often an operator settles fees: rarely, since it costs gas and nobody waits for it. */
export const SETTLE_EVERY_MS = 600_000;

/** Everything an operator process is told from outside; documented in docs/operator.md. */
export interface OperatorConfig {
  identity: string;
  dataDir: string;
  rpcUrl: string;
  gateway: Address;
  listen: readonly string[];
  http: { host: string; port: number; connectionsPerAddress: number };
  confirmations: number;
  pollMs: number;
  submitDelayMs: number;
  settleEveryMs: number;
  transcriptBytes: number;
  largeOperationBytes: number;
  evidence: EvidenceTerms;
  logLevel: (typeof LOG_LEVELS)[number];
}

type Reader<T> = (value: unknown, key: string) => T;

const invalid = (message: string, cause?: unknown): OperatorError =>
  new OperatorError(OperatorErrorCode.CONFIG_INVALID, message, { cause });

const text: Reader<string> = (value, key) => {
  if (typeof value !== 'string' || value === '')
    throw invalid(`"${key}" must be a non-empty string`);
  return value;
};

const integer =
  (min: number, max: number): Reader<number> =>
  (value, key) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw invalid(`"${key}" must be an integer from ${min} to ${max}`);
    return value;
  };

/** Wei do not fit into JSON's numbers. */
const wei: Reader<bigint> = (value, key) => {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,77})$/.test(value))
    throw invalid(`"${key}" must be a string of decimal digits`);
  return BigInt(value);
};

const url: Reader<string> = (value, key) => {
  const written = text(value, key);
  if (!/^https?:\/\//.test(written) || !URL.canParse(written))
    throw invalid(`"${key}" must be an http(s) URL`);
  return written;
};

const address: Reader<Address> = (value, key) => {
  const written = text(value, key);
  if (!isAddress(written)) throw invalid(`"${key}" must be an address with a valid checksum`);
  return written;
};

const texts: Reader<string[]> = (value, key) => {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(`"${key}" must be a non-empty list`);
  return value.map((entry) => text(entry, key));
};

const level: Reader<OperatorConfig['logLevel']> = (value, key) => {
  const found = LOG_LEVELS.find((name) => name === value);
  if (found === undefined) throw invalid(`"${key}" must be one of ${LOG_LEVELS.join(', ')}`);
  return found;
};

const object: Reader<Record<string, unknown>> = (value, key) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`"${key}" must be an object`);
  return value as Record<string, unknown>;
};

/** Takes fields out of an object and, at the end, refuses what nobody asked for. */
function fields(value: unknown, where: string) {
  const rest = { ...object(value, where) };
  return {
    take<T>(key: string, read: Reader<T>, fallback?: T): T {
      const given = rest[key];
      delete rest[key];
      if (given === undefined && fallback !== undefined) return fallback;
      if (given === undefined) throw invalid(`"${key}" is missing in ${where}`);
      return read(given, key);
    },
    done(): void {
      const [unknown] = Object.keys(rest);
      if (unknown !== undefined) throw invalid(`"${unknown}" in ${where} is not a known field`);
    },
  };
}

/** Checks a parsed configuration; relative paths start at `folder`. */
export function parseConfig(value: unknown, folder: string): OperatorConfig {
  const top = fields(value, 'the configuration');
  const http = fields(top.take('http', object, {}), '"http"');
  const evidence = fields(top.take('evidence', object, {}), '"evidence"');
  const config: OperatorConfig = {
    identity: resolve(folder, top.take('identity', text)),
    dataDir: resolve(folder, top.take('dataDir', text)),
    rpcUrl: top.take('rpcUrl', url),
    gateway: top.take('gateway', address),
    listen: top.take('listen', texts),
    http: {
      host: http.take('host', text, '127.0.0.1'),
      port: http.take('port', integer(0, 65_535), 8080),
      connectionsPerAddress: http.take(
        'connectionsPerAddress',
        integer(1, defaultHttpLimits.connections),
        defaultHttpLimits.connectionsPerAddress,
      ),
    },
    confirmations: top.take('confirmations', integer(0, 10_000), 12),
    pollMs: top.take('pollMs', integer(10, 600_000), 1_000),
    submitDelayMs: top.take('submitDelayMs', integer(0, 3_600_000), 5_000),
    settleEveryMs: top.take('settleEveryMs', integer(1_000, 86_400_000), SETTLE_EVERY_MS),
    transcriptBytes: top.take('transcriptBytes', integer(2 ** 28, 2 ** 50), defaultTranscriptBytes),
    largeOperationBytes: top.take(
      'largeOperationBytes',
      integer(0, 2 ** 50),
      LARGE_OPERATION_BYTES,
    ),
    evidence: {
      maxCostWei: evidence.take('maxCostWei', wei, defaultEvidenceTerms.maxCostWei),
      minRewardWei: evidence.take('minRewardWei', wei, defaultEvidenceTerms.minRewardWei),
    },
    logLevel: top.take('logLevel', level, 'info'),
  };
  top.done();
  http.done();
  evidence.done();
  return config;
}

/** Reads and checks a configuration file. Throws `CONFIG_INVALID` with what to mend. */
export function loadConfig(file: string): OperatorConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw invalid(`cannot read ${file} as JSON`, cause);
  }
  return parseConfig(value, dirname(resolve(file)));
}
