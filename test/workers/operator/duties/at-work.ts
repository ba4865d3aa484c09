import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { afterEach } from 'vitest';

import * as client from '../../../../workers/fhe/client.ts';
import { decryptionPlan } from '../../../../workers/fhe/noise.ts';
import { duties, type DutySources } from '../../../../workers/operator/duties/duties.ts';
import { Jobs } from '../../../../workers/operator/duties/jobs.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import { digestOf, type FakeChain } from '../fake-chain.ts';
import {
  recordingLog,
  startCommittee,
  testSignal,
  type CommitteeOptions,
  type TestCommittee,
  type TestOperator,
} from '../harness.ts';

// Operators at work: what the tests of duties share.

export const set = parameterSet('insecure-bfv-1024');
export const plan = decryptionPlan(set, committeeOf(4));
export const keyId = digestOf('key');
export const handle = digestOf('handle');
/** Far enough, in seconds, for a timer to be at its limit. */
export const LATER = 10n ** 10n;

export const sha256 = (data: Uint8Array): Hex =>
  `0x${createHash('sha256').update(data).digest('hex')}`;

const running: Jobs[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((jobs) => jobs.stop()));
});

export const sourcesOf = ({ context, chain, seats, keyShares }: TestOperator): DutySources => ({
  ...{ context, chain, seats, keyShares },
  reread: () => undefined,
});

export const idsOf = (operator: TestOperator): string[] =>
  duties(sourcesOf(operator)).map(({ id }) => id);

/** Does an operator's duties, now and after each block. */
export function work(operator: TestOperator): void {
  const jobs = new Jobs(recordingLog(operator.lines));
  running.push(jobs);
  const signal = testSignal();
  void (async () => {
    for (;;) {
      operator.seats.refresh();
      jobs.reconcile(duties(sourcesOf(operator)));
      await operator.chain.change(signal);
    }
  })().catch(() => undefined);
}

export function addSet(chain: FakeChain, changes: Record<string, unknown> = {}): void {
  const { name, degree, plainModulus, primes } = set;
  const entry = {
    ...{ name, degree, plainModulus, primes },
    decryptionLimbs: [plan.limbs, 0, 0, 0],
    floodBits: [plan.floodBits, 0, 0, 0],
    maxNoiseBits: [plan.maxNoiseBits, 0, 0, 0],
    lambda: set.lambda,
    ...changes,
  };
  const args = { parameterSetId: parameterSetId(set), set: entry };
  chain.emit({ eventName: 'ParameterSetAdded', args });
}

export const requestKey = ({ chain, epochId }: TestCommittee, deadline = LATER, id: Hex = keyId) =>
  chain.emit({
    eventName: 'KeyRequested',
    args: { keyId: id, epochId, parameterSetId: parameterSetId(set), requester: '0x', deadline },
  });

export const until = async (operator: TestOperator, isSo: () => boolean): Promise<void> => {
  while (!isSo()) await operator.chain.change(testSignal());
};

/** A blob that was recorded: whoever signed for it has it, but not every operator at once. */
export async function recordedBlob(
  { operators }: Pick<TestCommittee, 'operators'>,
  digest: Hex,
): Promise<Uint8Array> {
  for (const { context } of operators)
    if (await context.store.blobs.has(digest)) return context.store.blobs.get(digest);
  throw new Error(`no operator has ${digest}`);
}

/** Resolves once an operator has made all entries of a request itself: a quorum records without who is behind. */
export async function finished({ context }: TestOperator, requestId: Hex, entries: number) {
  while (context.store.entries.list(requestId).length < entries) await new Promise(setImmediate);
}

/** A committee at work, and the key that it has generated. */
export async function startWithKey(options: CommitteeOptions = {}) {
  const committee = await startCommittee(4, options);
  const { chain, operators, at } = committee;
  addSet(chain);
  for (const operator of operators) work(operator);
  requestKey(committee);
  const key = () => at(1).chain.now.keys.get(keyId)!;
  await until(at(1), () => key().state === 'active');
  const publicKey = await recordedBlob(committee, key().digest!);
  return { ...committee, publicKey };
}

export type WithKey = Awaited<ReturnType<typeof startWithKey>>;

/** Registers a ciphertext of a number; operator 2 has the bytes. */
export async function encrypt(
  { chain, at, publicKey }: WithKey,
  scalar: bigint,
  limbs = plan.limbs,
  as: Hex = handle,
) {
  const ciphertext = client.encrypt(set, publicKey, { scalar });
  await at(2).context.store.blobs.put(ciphertext);
  const registered = { handle: as, keyId, digest: sha256(ciphertext), noiseBits: 1, owner: '0x' };
  chain.emit({ eventName: 'CiphertextRegistered', args: { ...registered, limbs, origin: 0 } });
}
