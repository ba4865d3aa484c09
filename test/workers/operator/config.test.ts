import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { loadConfig, parseConfig } from '../../../workers/operator/config.ts';
import { OperatorErrorCode } from '../../../workers/operator/errors.ts';

const required = {
  identity: 'identity.json',
  dataDir: '/var/keyloom',
  rpcUrl: 'http://127.0.0.1:8545',
  gateway: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  listen: ['/ip4/0.0.0.0/tcp/4000'],
} as const;

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
      evidence: { maxCostWei: 10n ** 17n, minRewardWei: 0n },
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
      evidence: { maxCostWei: '0', minRewardWei: '1000000000000000000000' },
      logLevel: 'debug',
    };
    const evidence = { maxCostWei: 0n, minRewardWei: 10n ** 21n };
    expect(parseConfig(given, '/')).toEqual({ ...given, evidence });
  });

  it('takes part of "http"', () => {
    const { http } = parseConfig({ ...required, http: { port: 1 } }, '/');
    expect(http).toEqual({ host: '127.0.0.1', port: 1, connectionsPerAddress: 64 });
  });

  it.each(Object.keys(required))('needs "%s"', (key) => {
    expect(() => parseConfig({ ...required, [key]: undefined }, '/')).toThrow(invalid);
  });

  it.each<[string, unknown]>([
    ['identity', ''],
    ['identity', null],
    ['dataDir', 1],
    ['rpcUrl', 'ws://127.0.0.1'],
    ['rpcUrl', 'http://'],
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
    ['evidence', { maxCostWei: 1 }],
    ['evidence', { maxCostWei: '-1' }],
    ['evidence', { minRewardWei: '0x10' }],
    ['evidence', { minRewardWei: '01' }],
    ['evidence', { maxCost: '1' }],
    ['logLevel', 'trace'],
    ['logLevel', 'constructor'],
    ['confirmation', 12],
    ['__proto__', 12],
  ])('does not have %s = %j', (key, value) => {
    const text = JSON.stringify({ ...required, [key]: undefined });
    const given = `${text.slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(value)}}`;
    expect(() => parseConfig(JSON.parse(given), '/')).toThrow(invalid);
  });

  it.each([null, [], 'text', 1])('is not %j', (value) => {
    expect(() => parseConfig(value, '/')).toThrow(invalid);
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
