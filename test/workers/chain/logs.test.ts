import { concat, keccak256, numberToHex, pad, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { emptyLogsDigest, nextLogsDigest, type GatewayLog } from '../../../workers/chain/logs.ts';

const word = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const address = `0x${'ab'.repeat(20)}` as const;
const log: GatewayLog = { address, topics: [word(1), word(2)], data: '0x0102030405', logIndex: 7 };
const uint = (value: number) => numberToHex(value, { size: 32 });

describe('nextLogsDigest', () => {
  it('is the formula of docs/formats.md, written out word by word', () => {
    // abi.encode(address, bytes32[] topics, bytes data)
    const encodedLog = concat([
      pad(address),
      ...[uint(0x60), uint(0xc0)],
      ...[uint(2), word(1), word(2)],
      ...[uint(5), pad('0x0102030405', { dir: 'right' })],
    ]);
    // abi.encode(bytes32, uint64, bytes32, bytes32[])
    const encodedBlock = concat([
      emptyLogsDigest,
      uint(1000),
      word(9),
      ...[uint(0x80), uint(1), keccak256(encodedLog)],
    ]);
    expect(nextLogsDigest(emptyLogsDigest, { height: 1000n, hash: word(9), logs: [log] })).toBe(
      keccak256(encodedBlock),
    );
  });

  it('depends on everything but the index of a log in its block', () => {
    const digest = (block: Partial<Parameters<typeof nextLogsDigest>[1]>, previous = word(5)) =>
      nextLogsDigest(previous, { height: 5n, hash: word(9), logs: [log, log], ...block });
    const changedLog = (fields: Partial<GatewayLog>) =>
      digest({ logs: [log, { ...log, ...fields }] });
    const digests = [
      digest({}),
      digest({}, word(6)),
      digest({ height: 6n }),
      digest({ hash: word(8) }),
      digest({ logs: [log] }),
      digest({ logs: [log, log, log] }),
      changedLog({ address: `0x${'ac'.repeat(20)}` }),
      changedLog({ topics: [word(1)] }),
      changedLog({ topics: [word(2), word(1)] }),
      changedLog({ data: '0x01020304' }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(changedLog({ logIndex: 8 })).toBe(digests[0]);
  });
});
