import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { describe, expect, it, vi } from 'vitest';

import { ask } from '../../../../workers/net/blobs/index.ts';
import { createKeyPair } from '../../../../workers/fhe/client.ts';
import { NetErrorCode } from '../../../../workers/net/errors.ts';
import type { HealthReport } from '../../../../workers/operator/health/health.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { PublicView } from '../../../../workers/operator/public/view.ts';
import { equivocation } from '../../../../workers/protocols/evidence.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import type { BlobReader } from '../../../../workers/store/blobs.ts';
import { expectFailure } from '../../net/support.ts';
import { digestOf } from '../fake-chain.ts';
import { watched } from '../health/watching.ts';
import { startCommittee, testSignal, type TestOperator } from '../harness.ts';

const bytes = Buffer.from('a ciphertext');
const sha256 = (data: Uint8Array): Hex => `0x${createHash('sha256').update(data).digest('hex')}`;
const digest = sha256(bytes);
const keyId = digestOf('key');

async function bytesOf(blob: Promise<BlobReader>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await blob).chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const viewOf = ({ context, chain, registrations }: TestOperator, health = {} as HealthReport) =>
  new PublicView(context, chain, health, registrations);

const rootOf = (name: string) =>
  ({ root: digestOf(name), signature: `0x${'5a'.repeat(65)}` }) as const;

const equivocationOf = (epochId: Hex) =>
  equivocation(epochId, digestOf('opening'), 3, rootOf('a'), rootOf('b'))!;

const registered = {
  eventName: 'CiphertextRegistered',
  args: {
    handle: digestOf('handle'),
    keyId,
    digest,
    limbs: 1,
    noiseBits: 1,
    owner: '0x',
    origin: 0,
  },
} as const;

describe('health', () => {
  it('is ok for an operator that can serve', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    const { context } = at(1);
    const { health } = await watched(at(1), chain);
    expect(await viewOf(at(1), health).health()).toMatchObject({
      status: 'ok',
      reasons: [],
      signer: context.account.address,
      peerId: context.host.peerId,
      head: 3n,
      epochs: [{ epochId, index: 1, phase: 'active', shares: 'held' }],
      traffic: { sentBytes: 0, receivedBytes: 0 },
    });
  });

  it('is degraded, with the reason, for one whose shares are missing', async () => {
    const { at, chain, epochId } = await startCommittee(4, { keyless: [2] });
    const { health, read } = await watched(at(2), chain);
    expect(await health.report()).toMatchObject({ status: 'ok' });
    chain.emit({ eventName: 'EpochConfirmed', args: { epochId, member: 2 } });
    read();
    const report = await health.report();
    expect(report).toMatchObject({ status: 'degraded', reasons: ['SHARES_MISSING'], ready: false });
  });

  it('is degraded for one that was slashed, and counts the evidence against others', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    const { context } = at(1);
    const operator = context.account.address;
    context.store.evidence.keep(equivocationOf(epochId));
    chain.emit({ eventName: 'OperatorSlashed', args: { operator } });
    expect(await (await watched(at(1), chain)).health.report()).toMatchObject({
      status: 'degraded',
      reasons: ['SLASHED'],
      ready: true,
      evidence: { open: 1, submitted: 0, hopeless: 0 },
    });
    const { health } = await watched(at(2), chain);
    expect(await health.report()).toMatchObject({ status: 'ok', evidence: { open: 0 } });
  });

  it('costs one request to the chain, however often it is asked for at once', async () => {
    const { at, chain } = await startCommittee(4);
    const { health, clocks } = await watched(at(1), chain);
    const getBlock = vi.spyOn(at(1).context.gateway.client, 'getBlock');
    clocks.steady += 1_000;
    await Promise.all(Array.from({ length: 20 }, () => health.report()));
    expect(getBlock).toHaveBeenCalledOnce();
  });
});

describe('a blob', () => {
  it('is given to anybody if the chain names it, from a peer if need be', async () => {
    const { at, chain } = await startCommittee(4);
    await at(3).context.store.blobs.put(bytes);
    chain.emit(registered);
    expect(await bytesOf(viewOf(at(1)).blob(digest))).toEqual(bytes);
  });

  it('is not looked for if the chain does not name it, nor given to peers', async () => {
    const { at } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    const code = OperatorErrorCode.NOT_FOUND;
    await expect(viewOf(at(1)).blob(digest)).rejects.toMatchObject({ code });
    const { host } = at(2).context;
    const options = { signal: testSignal(), maxBytes: 100 };
    const answer = ask(host, at(1).context.host.peerId, digest, options);
    await expectFailure(answer, NetErrorCode.refused);
  });

  it.each<[string, Hex[], boolean]>([
    ['of all coefficients', [], true],
    ['of listed positions', [digestOf('position')], false],
  ])('may be the plaintext of a decryption %s', async (_, positions, isNamed) => {
    const { at, chain, epochId } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    const requestId = digestOf('request');
    const handles = [digestOf('a'), digestOf('b')];
    const request = { requestId, epochId, keyId, handles, positions, deadline: 0n };
    const result = `0x${digestOf('another').slice(2)}${digest.slice(2)}`;
    chain.emit(
      { eventName: 'PublicDecryptionRequested', args: request },
      { eventName: 'PublicDecryptionResponded', args: { requestId, result } },
    );
    const found = await viewOf(at(1))
      .blob(digest)
      .catch(() => undefined);
    expect(found !== undefined).toBe(isNamed);
  });

  it('may be a public key', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    chain.emit(
      { eventName: 'KeyRequested', args: { keyId, epochId, deadline: 0n } },
      { eventName: 'PublicKeyRecorded', args: { keyId, digest } },
    );
    expect(await bytesOf(viewOf(at(1)).blob(digest))).toEqual(bytes);
  });
});

describe('a blob of a request', () => {
  const requestId = digestOf('request');
  const zero = `0x${'00'.repeat(32)}`;
  const digests = `0x${digestOf('another').slice(2)}${digest.slice(2)}`;

  it('may be an entry of an evaluation key', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    await at(1).context.store.blobs.put(bytes);
    const args = { requestId, epochId, keyId, kind: 2, targetKeyId: zero, elements: [3, 5] };
    chain.emit({ eventName: 'EvaluationKeysRequested', args: { ...args, deadline: 0n } });
    await expect(viewOf(at(1)).blob(digest)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    chain.emit({ eventName: 'EvaluationKeysRecorded', args: { requestId, digests } });
    expect(await bytesOf(viewOf(at(1)).blob(digest))).toEqual(bytes);
  });

  it('may be what a user decryption is for, which the user uploads, and its answers', async () => {
    const { at, chain, epochId } = await startCommittee(4);
    const { publicKey: key } = createKeyPair(parameterSet('insecure-bfv-1024'));
    const view = viewOf(at(1));
    const expected = view.expectUpload(sha256(key), testSignal());
    const args = { requestId, epochId, keyId, handles: [], publicKeyDigest: sha256(key) };
    chain.emit({ eventName: 'UserDecryptionRequested', args: { ...args, deadline: 0n } });
    await expected;
    await view.keepUpload(sha256(key), key);
    expect(await bytesOf(viewOf(at(2)).blob(sha256(key)))).toEqual(Buffer.from(key));
    await at(3).context.store.blobs.put(bytes);
    chain.emit({ eventName: 'UserDecryptionResponded', args: { requestId, result: digests } });
    expect(await bytesOf(view.blob(digest))).toEqual(bytes);
    // Answers come from operators, not from users.
    const code = OperatorErrorCode.BLOB_NOT_REGISTERED;
    const uploaded = view.expectUpload(digest, AbortSignal.abort());
    await expect(uploaded).rejects.toMatchObject({ code });
  });
});

describe('a key that decryptions are for', () => {
  it.each<[string, () => Uint8Array]>([
    ['other bytes', () => Buffer.from('junk')],
    [
      'as many bytes',
      () => createKeyPair(parameterSet('insecure-bfv-1024')).publicKey.fill(0xff, 200),
    ],
  ])('is not kept if it is %s', async (_, make) => {
    const { at, chain, epochId } = await startCommittee(4);
    const junk = make();
    const args = { requestId: digestOf('r'), epochId, keyId, handles: [], deadline: 0n };
    const publicKeyDigest = sha256(junk);
    chain.emit({ eventName: 'UserDecryptionRequested', args: { ...args, publicKeyDigest } });
    const code = OperatorErrorCode.BLOB_MALFORMED;
    await expect(viewOf(at(1)).keepUpload(sha256(junk), junk)).rejects.toMatchObject({ code });
    expect(await at(1).context.store.blobs.has(sha256(junk))).toBe(false);
  });
});

describe('a transcript', () => {
  it('is what the store has of an opening', async () => {
    const { at, epochId } = await startCommittee(4);
    const view = viewOf(at(1));
    const openingId = digestOf('opening');
    const code = OperatorErrorCode.NOT_FOUND;
    await expect(view.transcript(openingId)).rejects.toMatchObject({ code });
    const share = {
      epochId,
      root: digestOf('root'),
      signature: `0x${'5a'.repeat(65)}` as const,
      shape: { primes: [2053n], width: 2, polynomials: 1 },
      residues: BigUint64Array.of(1n, 2n),
    };
    await at(1).context.store.transcripts.put(openingId, 3, share);
    expect(await view.transcript(openingId)).toEqual({ epochId, indices: [3] });
    expect(await view.share(openingId, 3)).toEqual(share);
    await expect(view.share(openingId, 1)).rejects.toMatchObject({ code });
  });
});

describe('evidence', () => {
  it('names the accused, and what it takes to submit it', async () => {
    const { at, epochId } = await startCommittee(4);
    const { context } = at(1);
    const evidence = equivocationOf(epochId);
    context.store.evidence.keep(evidence);
    const view = viewOf(at(1));
    const [listed] = view.evidenceList();
    const operator = at(3).context.account.address;
    expect(listed).toMatchObject({ kind: 'equivocation', index: 3, operator, state: 'open' });
    const { chainId, contracts } = context.gateway;
    expect(view.evidence(listed.offenceId)).toEqual({
      ...listed,
      ...{ chainId, slashingManager: contracts.slashingManager.address, evidence },
    });
    const code = OperatorErrorCode.NOT_FOUND;
    expect(() => view.evidence(digestOf('another'))).toThrow(expect.objectContaining({ code }));
  });
});

describe('an upload', () => {
  it('waits for its registration', async () => {
    const { at, chain } = await startCommittee(4);
    const expected = viewOf(at(1)).expectUpload(digest, testSignal());
    chain.emit({ ...registered, args: { ...registered.args, digest: digestOf('another') } });
    chain.emit(registered);
    await expected;
    await viewOf(at(1)).expectUpload(digest, AbortSignal.abort());
  });

  it('is refused if there is none in time', async () => {
    const { at } = await startCommittee(4);
    const stop = new AbortController();
    const expected = viewOf(at(1)).expectUpload(digest, stop.signal);
    stop.abort();
    const code = OperatorErrorCode.BLOB_NOT_REGISTERED;
    await expect(expected).rejects.toMatchObject({ code });
  });

  it('is kept if it has the digest, and only then', async () => {
    const { at } = await startCommittee(4);
    const code = OperatorErrorCode.BLOB_DIGEST_MISMATCH;
    const other = Buffer.from('others');
    await expect(viewOf(at(1)).keepUpload(digest, other)).rejects.toMatchObject({ code });
    expect(await at(1).context.store.blobs.has(sha256(other))).toBe(false);
    await viewOf(at(1)).keepUpload(digest, bytes);
    expect(await at(1).context.store.blobs.has(digest)).toBe(true);
  });
});
