import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import {
  configurationSchema,
  loadConfig,
  parseConfig,
} from '../../../../workers/operator/config/config.ts';
import type { Schema } from '../../../../workers/operator/config/fields.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';

const required = {
  identity: 'identity.json',
  dataDir: '/var/keyloom',
  rpcUrls: ['http://127.0.0.1:8545'],
  gateway: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  listen: ['/ip4/0.0.0.0/tcp/4000'],
} as const;

/** Fields and what they must not be. */
const wrong: [string, unknown][] = [
  ['identity', ''],
  ['identity', null],
  ['dataDir', 1],
  ['rpcUrls', 'http://127.0.0.1'],
  ['rpcUrls', []],
  ['rpcUrls', Array.from({ length: 9 }, (_, at) => `http://127.0.0.1:${at + 1}`)],
  ['rpcUrls', ['http://127.0.0.1', 'http://127.0.0.2', 'http://127.0.0.1']],
  ['rpcUrls', ['ws://127.0.0.1']],
  ['rpcUrls', ['http://']],
  ['gateway', '0x5fbdb2315678afecb367f032d93f642f64180aA3'],
  ['gateway', '0x1234'],
  ['listen', []],
  ['listen', '/ip4/0.0.0.0/tcp/4000'],
  ['listen', ['']],
  ['http', null],
  ['http', []],
  ['http', { port: 65_536 }],
  ['http', { port: '80' }],
  ['http', { host: '' }],
  ['http', { prot: 80 }],
  ['http', { connectionsPerAddress: 0 }],
  ['confirmations', -1],
  ['confirmations', 1.5],
  ['confirmations', null],
  ['pollMs', 9],
  ['pollMs', 600_001],
  ['submitDelayMs', -1],
  ['submitDelayMs', Infinity],
  ['transactions', { maxFeePerGasWei: 1 }],
  ['transactions', { maxTipPerGasWei: '-1' }],
  ['evidence', { maxCostWei: 1 }],
  ['evidence', { maxCostWei: '-1' }],
  ['evidence', { minRewardWei: '0x10' }],
  ['evidence', { minRewardWei: '01' }],
  ['evidence', { maxCost: '1' }],
  ['health', { clockSeconds: 0 }],
  ['metrics', { port: -1 }],
  ['metrics', true],
  ['tracing', {}],
  ['tracing', { url: 'file:///traces' }],
  ['logLevel', 'trace'],
  ['logLevel', 'constructor'],
  ['confirmation', 12],
  ['__proto__', 12],
];

/** What no schema of ours says: the checksum of an address, and that a URL can be parsed. */
const onlyRead = new Set(['"0x5fbdb2315678afecb367f032d93f642f64180aA3"', '["http://"]']);

/** Whether a value is one of a schema, as far as the keywords go that ours has. */
function conforms(schema: Schema, value: unknown): boolean {
  const {
    type,
    properties = {},
    required: needed = [],
    items,
    pattern,
  } = schema as {
    type: string;
    properties?: Record<string, Schema>;
    required?: string[];
    items?: Schema;
    pattern?: string;
  };
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value);
  switch (type) {
    case 'string':
      if (typeof value !== 'string' || value.length < Number(schema['minLength'] ?? 0))
        return false;
      return pattern === undefined || new RegExp(pattern, 'u').test(value);
    case 'integer': {
      const { minimum, maximum } = schema as { minimum: number; maximum: number };
      return Number.isInteger(value) && minimum <= Number(value) && Number(value) <= maximum;
    }
    case 'array':
      return (
        Array.isArray(value) &&
        value.length > 0 &&
        value.length <= Number(schema['maxItems'] ?? Infinity) &&
        (schema['uniqueItems'] !== true || new Set(value).size === value.length) &&
        value.every((one) => conforms(items!, one))
      );
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const entries = Object.entries(value);
      const isKnown = ([key, one]: [string, unknown]): boolean =>
        Object.hasOwn(properties, key) && conforms(properties[key], one);
      return needed.every((key) => Object.hasOwn(value, key)) && entries.every(isKnown);
    }
    default:
      throw new TypeError(`a keyword that this test does not know: ${type}`);
  }
}

const invalid = expect.objectContaining({ code: OperatorErrorCode.CONFIG_INVALID }) as Error;

describe('a configuration', () => {
  it('has defaults for what is not required, and paths that start at its folder', () => {
    expect(parseConfig(required, '/etc/keyloom')).toEqual({
      ...required,
      identity: '/etc/keyloom/identity.json',
      http: { host: '127.0.0.1', port: 8080, connectionsPerAddress: 64 },
      confirmations: 12,
      pollMs: 1_000,
      submitDelayMs: 5_000,
      settleEveryMs: 600_000,
      transcriptBytes: 64 * 2 ** 30,
      largeOperationBytes: 8 * 2 ** 20,
      transactions: { maxFeePerGasWei: 10n ** 11n, maxTipPerGasWei: 5n * 10n ** 9n },
      evidence: { maxCostWei: 10n ** 17n, minRewardWei: 0n },
      health: { stalledSeconds: 120, lagSeconds: 60, clockSeconds: 30, freeBytes: 2 ** 30 },
      metrics: undefined,
      tracing: undefined,
      logLevel: 'info',
    });
  });

  it('takes every field as given', () => {
    const given = {
      ...required,
      identity: '/keys/identity.json',
      http: { host: '0.0.0.0', port: 0, connectionsPerAddress: 1 },
      confirmations: 0,
      pollMs: 10,
      submitDelayMs: 0,
      settleEveryMs: 1_000,
      transcriptBytes: 2 ** 30,
      largeOperationBytes: 0,
      transactions: { maxFeePerGasWei: '1', maxTipPerGasWei: '0' },
      evidence: { maxCostWei: '0', minRewardWei: '1000000000000000000000' },
      health: { stalledSeconds: 1, lagSeconds: 2, clockSeconds: 3, freeBytes: 0 },
      metrics: { host: '::1', port: 0 },
      tracing: { url: 'http://127.0.0.1:4318/v1/traces' },
      logLevel: 'debug',
    };
    const transactions = { maxFeePerGasWei: 1n, maxTipPerGasWei: 0n };
    const evidence = { maxCostWei: 0n, minRewardWei: 10n ** 21n };
    expect(parseConfig(given, '/')).toEqual({ ...given, transactions, evidence });
  });

  it('takes part of "http"', () => {
    const { http } = parseConfig({ ...required, http: { port: 1 } }, '/');
    expect(http).toEqual({ host: '127.0.0.1', port: 1, connectionsPerAddress: 64 });
  });

  it('serves metrics on loopback if it says no more', () => {
    const { metrics } = parseConfig({ ...required, metrics: {} }, '/');
    expect(metrics).toEqual({ host: '127.0.0.1', port: 9464 });
  });

  it.each(Object.keys(required))('needs "%s"', (key) => {
    expect(() => parseConfig({ ...required, [key]: undefined }, '/')).toThrow(invalid);
  });

  it.each(wrong)('does not have %s = %j', (key, value) => {
    const text = JSON.stringify({ ...required, [key]: undefined });
    const given = `${text.slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(value)}}`;
    expect(() => parseConfig(JSON.parse(given), '/')).toThrow(invalid);
    if (!onlyRead.has(JSON.stringify(value)))
      expect(conforms(configurationSchema, JSON.parse(given))).toBe(false);
  });

  it.each<[unknown, string]>([
    [{ ...required, http: { port: '80' } }, 'http.port'],
    [{ ...required, http: { prot: 80 } }, 'http.prot'],
    [{ ...required, listen: ['/ip4/0.0.0.0/tcp/1', ''] }, 'listen[1]'],
    [{ ...required, evidence: { maxCostWei: 1 } }, 'evidence.maxCostWei'],
    [{ ...required, gateway: undefined }, 'gateway'],
  ])('says where it is wrong', (value, path) => {
    const metadata = expect.objectContaining({ path }) as unknown;
    expect(() => parseConfig(value, '/')).toThrow(expect.objectContaining({ metadata }) as Error);
  });

  it.each([null, [], 'text', 1])('is not %j', (value) => {
    expect(() => parseConfig(value, '/')).toThrow(invalid);
  });
});

describe('the schema', () => {
  const file = new URL('../../../../docs/operator.schema.json', import.meta.url);

  it('is the file that is published', () => {
    // Written by `node scripts/generate-schema.ts`.
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(configurationSchema)),
    );
  });

  it('takes what is read', () => {
    const { properties } = configurationSchema as { properties: Record<string, Schema> };
    const filled = Object.entries(properties).map(([key, { default: value }]) => [key, value]);
    const given = { ...(Object.fromEntries(filled) as object), ...required };
    expect(conforms(configurationSchema, JSON.parse(JSON.stringify(given)))).toBe(true);
    expect(conforms(configurationSchema, { ...required, metrics: {}, http: { port: 1 } })).toBe(
      true,
    );
  });

  it('has the fields of the table in docs/operator/configuration.md', () => {
    const page = readFileSync(new URL('operator/configuration.md', file), 'utf8');
    const section = page.slice(page.indexOf('## Fields'), page.indexOf('\n## Passphrase'));
    const documented = [...section.matchAll(/^\| `(\w+)`/gmu)].map(([, key]) => key);
    const { properties } = configurationSchema as { properties: Record<string, unknown> };
    expect(documented.sort()).toEqual(Object.keys(properties).sort());
  });
});

describe('a configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyloom-config-'));
  const file = join(folder, 'operator.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read with paths from its own folder', () => {
    writeFileSync(file, JSON.stringify(required));
    expect(loadConfig(file).identity).toBe(join(folder, 'identity.json'));
  });

  it('must be there and be JSON', () => {
    writeFileSync(file, '{"identity":');
    expect(() => loadConfig(file)).toThrow(invalid);
    expect(() => loadConfig(join(folder, 'absent.json'))).toThrow(invalid);
  });
});
