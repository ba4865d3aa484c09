import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Address } from 'viem';

import { defaultCaps, type SpendingCaps } from '../../chain/fees.ts';
import { defaultTranscriptBytes } from '../../store/transcripts.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { defaultHttpLimits } from '../public/http.ts';
import { defaultEvidenceTerms, type EvidenceTerms } from '../watchdog/terms.ts';
import {
  address,
  described,
  distinct,
  group,
  integer,
  listOf,
  oneOf,
  optional,
  path,
  section,
  text,
  url,
  wei,
  withDefault,
  type Schema,
} from './fields.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Bytes of an operator's shares from which on an operation goes through openers: 8 MiB. */
export const LARGE_OPERATION_BYTES = 8 * 2 ** 20;

/** How often an operator settles fees: rarely, since it costs gas and nobody waits for it. */
export const SETTLE_EVERY_MS = 600_000;

/** Where a listener listens. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** From when on something is wrong with the surroundings of an operator. */
export interface HealthLimits {
  /** Seconds without a new block after which the chain counts as stalled. */
  stalledSeconds: number;
  /** Seconds for which confirmed blocks may be unread. */
  lagSeconds: number;
  /** Seconds by which this machine's clock may differ from a new block's. */
  clockSeconds: number;
  /** Least free bytes of the file system that the data directory is on. */
  freeBytes: number;
}

/** Above what price per unit of gas transactions wait until it falls. */
export interface PriceLimits {
  maxFeePerGasWei: bigint;
  maxTipPerGasWei: bigint;
}

/** Everything an operator process is told from outside; documented in docs/operator/configuration.md. */
export interface OperatorConfig {
  identity: string;
  dataDir: string;
  rpcUrls: readonly string[];
  gateway: Address;
  listen: readonly string[];
  http: ListenAddress & { connectionsPerAddress: number };
  confirmations: number;
  pollMs: number;
  submitDelayMs: number;
  settleEveryMs: number;
  transcriptBytes: number;
  largeOperationBytes: number;
  transactions: PriceLimits;
  evidence: EvidenceTerms;
  health: HealthLimits;
  /** Where metrics are served, if they are. */
  metrics: ListenAddress | undefined;
  /** Where traces are sent, if they are. */
  tracing: { url: string } | undefined;
  logLevel: (typeof LOG_LEVELS)[number];
}

const port = integer(0, 65_535);

const configuration = group<OperatorConfig>({
  identity: described('Identity file', path),
  dataDir: described('Durable state: shares, journal, blobs, transcripts', path),
  rpcUrls: described(
    'JSON-RPC endpoints of the L2, the preferred one first',
    distinct(listOf(url, 8)),
  ),
  gateway: described('Address of the DecryptionGateway', address),
  listen: described('libp2p listen addresses', listOf(text)),
  http: described(
    'The public HTTP interface',
    section({
      host: withDefault(text, '127.0.0.1'),
      port: withDefault(port, 8080),
      connectionsPerAddress: withDefault(
        integer(1, defaultHttpLimits.connections),
        defaultHttpLimits.connectionsPerAddress,
      ),
    }),
  ),
  confirmations: described(
    'Blocks on top before an event is acted on',
    withDefault(integer(0, 10_000), 12),
  ),
  pollMs: described('How often the chain is asked', withDefault(integer(10, 600_000), 1_000)),
  submitDelayMs: described(
    'How long the next operator in turn waits before it submits',
    withDefault(integer(0, 3_600_000), 5_000),
  ),
  settleEveryMs: described(
    'How often fees are settled and expired requests refunded',
    withDefault(integer(1_000, 86_400_000), SETTLE_EVERY_MS),
  ),
  transcriptBytes: described(
    'Room for transcripts of openings',
    withDefault(integer(2 ** 28, 2 ** 50), defaultTranscriptBytes),
  ),
  largeOperationBytes: described(
    'Operations with more bytes of shares go through openers',
    withDefault(integer(0, 2 ** 50), LARGE_OPERATION_BYTES),
  ),
  transactions: described(
    'Most that a transaction offers per unit of gas; while the chain asks for more, it waits',
    section({
      maxFeePerGasWei: withDefault(wei, String(defaultCaps.maxFeePerGas)),
      maxTipPerGasWei: withDefault(wei, String(defaultCaps.maxPriorityFeePerGas)),
    }),
  ),
  evidence: described(
    'What submitting evidence may cost and has to bring',
    section({
      maxCostWei: withDefault(wei, String(defaultEvidenceTerms.maxCostWei)),
      minRewardWei: withDefault(wei, String(defaultEvidenceTerms.minRewardWei)),
    }),
  ),
  health: described(
    'From when on the operator says that something is wrong',
    section({
      stalledSeconds: withDefault(integer(1, 2 ** 31), 120),
      lagSeconds: withDefault(integer(1, 2 ** 31), 60),
      clockSeconds: withDefault(integer(1, 2 ** 31), 30),
      freeBytes: withDefault(integer(0, 2 ** 50), 2 ** 30),
    }),
  ),
  metrics: described(
    'Listener for Prometheus; absent: none',
    optional(group({ host: withDefault(text, '127.0.0.1'), port: withDefault(port, 9464) })),
  ),
  tracing: described(
    'OTLP/HTTP receiver of traces; absent: none are made',
    optional(group({ url })),
  ),
  logLevel: described('Least severe level that is logged', withDefault(oneOf(LOG_LEVELS), 'info')),
});

/** What the transaction sender must not exceed. */
export const capsOf = ({ transactions }: OperatorConfig): SpendingCaps => ({
  ...defaultCaps,
  maxFeePerGas: transactions.maxFeePerGasWei,
  maxPriorityFeePerGas: transactions.maxTipPerGasWei,
});

/** What docs/operator.schema.json has: the same rules, for editors and deployment tools. */
export const configurationSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Configuration of a Keyloom operator',
  ...configuration.schema,
};

/**
 * Checks a parsed configuration; relative paths start at `folder`.
 *
 * @throws OperatorError CONFIG_INVALID, which names the path of the field
 */
export function parseConfig(value: unknown, folder: string): OperatorConfig {
  return configuration.read(value, '', folder);
}

/** Reads and checks a configuration file. Throws `CONFIG_INVALID` with what to mend. */
export function loadConfig(file: string): OperatorConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new OperatorError(
      OperatorErrorCode.CONFIG_INVALID,
      `${file}: cannot be read as JSON${whereIn(cause)}`,
      { metadata: { file } },
    );
  }
  return parseConfig(value, dirname(resolve(file)));
}

/** Why a file cannot be read, without its text: the URL of an endpoint may hold an access key. */
function whereIn(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause) return ` (${String(cause.code)})`;
  const place = /line \d+ column \d+/.exec(cause.message)?.[0];
  return place === undefined ? '' : ` (${place})`;
}
