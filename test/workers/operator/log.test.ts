import { HttpRequestError } from 'viem';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { rpcError } from '../../../workers/chain/rpc.ts';
import { createLog } from '../../../workers/operator/log.ts';
import { SharingError, SharingErrorCode } from '../../../workers/sharing/errors.ts';

/** What an error becomes in a log line. */
function logged(error: unknown): Record<string, unknown> {
  let line = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    line += String(chunk);
    return true;
  });
  try {
    createLog('info', { signer: '0x01' }).warn({ err: error }, 'message');
  } finally {
    write.mockRestore();
  }
  return JSON.parse(line) as Record<string, unknown>;
}

afterEach(() => vi.restoreAllMocks());

describe('a log line', () => {
  it('has level, time, bindings and message', () => {
    expect(logged(undefined)).toMatchObject({ level: 'warn', signer: '0x01', msg: 'message' });
  });

  it('has of an error its code, metadata and culprits, and its causes', () => {
    const cause = new TypeError('why');
    const metadata = { height: 2n ** 64n, dealer: 3 };
    const error = new SharingError(SharingErrorCode.SEED_MISSING, 'no seed', {
      metadata,
      culprits: [3],
      cause,
    });
    expect(logged(error)['err']).toEqual({
      code: SharingErrorCode.SEED_MISSING,
      message: 'no seed',
      height: '18446744073709551616',
      dealer: 3,
      culprits: [3],
      cause: { name: 'TypeError', message: 'why' },
    });
  });

  it('does not have the URL of the RPC endpoint, which may hold an access key', () => {
    const url = 'https://rpc.example/v3/0123456789abcdef';
    const request = new HttpRequestError({ url, body: { method: 'eth_getLogs' } });
    expect(request.message).toContain('0123456789abcdef');
    expect(JSON.stringify(logged(rpcError(request)))).not.toContain('0123456789abcdef');
  });
});
