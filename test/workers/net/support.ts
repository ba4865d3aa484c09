import { createHash } from 'node:crypto';

import { afterEach, expect } from 'vitest';

import { NetError, type NetErrorCode, type Verdict } from '../../../workers/net/errors.ts';
import {
  createHost,
  generatePeerKey,
  type Host,
  type HostOptions,
} from '../../../workers/net/host/index.ts';
import type { Limits } from '../../../workers/net/limits.ts';

const running = new Set<Host>();

afterEach(async () => {
  await Promise.all([...running].map((host) => host.stop()));
  running.clear();
});

export interface TestHost extends Host {
  readonly key: Uint8Array;
  readonly faults: { readonly peerId: string; readonly error: NetError }[];
}

/** A host on a free port of 127.0.0.1 that allows everyone, stopped after the test. */
export async function startHost(options: Partial<HostOptions> = {}): Promise<TestHost> {
  const key = options.privateKey ?? (await generatePeerKey());
  const faults: TestHost['faults'] = [];
  const host = await createHost({
    listen: ['/ip4/127.0.0.1/tcp/0'],
    isAllowed: () => true,
    onFault: (peerId, error) => faults.push({ peerId, error }),
    ...options,
    privateKey: key,
    limits: { ...quick, ...options.limits },
  });
  running.add(host);
  return Object.assign(host, { key, faults });
}

/** Short waits between attempts; everything else as in production. */
export const quick: Partial<Limits> = { backoffMs: 5, maxBackoffMs: 50 };

/** Two hosts of which the first knows the second's address. */
export async function startPair(
  asker: Partial<HostOptions> = {},
  answerer: Partial<HostOptions> = {},
): Promise<[TestHost, TestHost]> {
  const hosts: [TestHost, TestHost] = [await startHost(asker), await startHost(answerer)];
  expect(introduce(hosts[0], hosts[1])).toEqual([]);
  return hosts;
}

export function introduce(host: Host, ...peers: readonly Host[]): NetError[] {
  return host.setPeers(peers.map((peer) => ({ peerId: peer.peerId, multiaddr: addressOf(peer) })));
}

export function addressOf(host: Host): string {
  return host.addresses()[0];
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}

/** Asserts that `work` fails with a network error of this code and, where given, this verdict. */
export async function expectFailure(
  work: Promise<unknown>,
  code: NetErrorCode,
  verdict?: Verdict,
): Promise<NetError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NetError);
  expect((error as NetError).code).toBe(code);
  if (verdict !== undefined) expect((error as NetError).verdict).toBe(verdict);
  return error as NetError;
}

/** Reproducible bytes: SHA-256 of the seed and a counter. */
export function seededBytes(seed: string, length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let block = 0; block * 32 < length; block++) {
    blocks.push(createHash('sha256').update(`${seed}/${block}`).digest());
  }
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, length));
}
