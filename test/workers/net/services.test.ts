import { createHash } from 'node:crypto';

import { bytesToHex, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import * as blobs from '../../../workers/net/blobs/index.ts';
import { NetErrorCode } from '../../../workers/net/errors.ts';
import { answer, Refusal, RefusalCode } from '../../../workers/net/exchange/index.ts';
import * as results from '../../../workers/net/results/index.ts';
import * as setup from '../../../workers/net/setup/index.ts';
import * as shares from '../../../workers/net/shares/index.ts';
import * as views from '../../../workers/net/views/index.ts';
import { expectFailure, never, seededBytes, startPair } from './support.ts';

const hex = (seed: string, length: number): Hex => bytesToHex(seededBytes(seed, length));
const epochId = hex('epoch', 32);
const signature = hex('signature', 65);

function sha256(bytes: Uint8Array): Hex {
  return bytesToHex(createHash('sha256').update(bytes).digest());
}

describe('setup', () => {
  it('gives each asker what the provider finds for it', async () => {
    const [asker, dealer] = await startPair();
    const question = {
      proposalId: hex('proposal', 32),
      dealer: 3,
      signature: hex('signature', 65),
    };
    const dealing = {
      hashes: Array.from({ length: 495 }, (_, index) => seededBytes(`hash ${index}`, 32)),
      seeds: new Map(
        Array.from({ length: 330 }, (_, index) => [2 * index, seededBytes(`seed ${index}`, 32)]),
      ),
    };
    await setup.register(dealer, async (peerId, asked) => {
      expect(asked).toEqual(question);
      return peerId === asker.peerId ? dealing : new Refusal(RefusalCode.forbidden);
    });
    expect(await setup.ask(asker, dealer.peerId, question, { signal: never() })).toEqual(dealing);
  });

  it('accuses a dealer whose answer breaks the format', async () => {
    const [asker, dealer] = await startPair();
    await answer(dealer, '/keyloom/setup/1', 98, async () => Uint8Array.of(1, 0, 9));
    const question = {
      proposalId: hex('proposal', 32),
      dealer: 3,
      signature: hex('signature', 65),
    };
    await expectFailure(
      setup.askUntilAnswered(asker, dealer.peerId, question, { signal: never() }),
      NetErrorCode.answerMalformed,
      'accuse',
    );
  });
});

describe('views', () => {
  it('carries a signed view once it exists', async () => {
    const [asker, peer] = await startPair({}, { limits: { holdMs: 20 } });
    const view = { blockHash: hex('block', 32), logsDigest: hex('logs', 32), signature };
    const heights: bigint[] = [];
    await views.register(peer, async (_, { height }) => {
      heights.push(height);
      return heights.length > 1 ? view : new Promise(() => {});
    });
    const received = await views.askUntilAnswered(
      asker,
      peer.peerId,
      { epochId, height: 1n << 40n },
      { signal: never() },
    );
    expect(received).toEqual(view);
    expect(heights).toEqual([1n << 40n, 1n << 40n]);
  });
});

describe('shares', () => {
  const question = { epochId, openingId: hex('opening', 32) };

  it('carries a share of the largest ring', async () => {
    const [asker, peer] = await startPair();
    const residues = new BigUint64Array(2 * 5 * 16384);
    residues.set(new BigUint64Array(seededBytes('residues', 8 * 1000).buffer), 77);
    residues.forEach((residue, at) => (residues[at] = residue >> 20n));
    const shape = { primes: Array<bigint>(5).fill((1n << 44n) - 1n), width: 16384, polynomials: 2 };
    await shares.register(peer, async (_, asked) => {
      expect(asked).toEqual(question);
      return { signature, shape, residues };
    });
    let pieces = 0;
    const options = { signal: never(), shape, onProgress: () => (pieces += 1) };
    const share = await shares.ask(asker, peer.peerId, question, options);
    expect(share.signature).toBe(signature);
    expect(pieces).toBeGreaterThan(1);
    expect(Buffer.compare(new Uint8Array(share.residues.buffer), bytesOf(residues))).toBe(0);
  });

  it('sends the residues that a view shows, and no others of its buffer', async () => {
    const [asker, peer] = await startPair();
    const all = BigUint64Array.of(1n, 2n, 3n, 4n);
    const shape = { primes: [2053n], width: 2, polynomials: 1 };
    await shares.register(peer, async () => ({ signature, shape, residues: all.subarray(1, 3) }));
    const options = { signal: never(), shape };
    const share = await shares.ask(asker, peer.peerId, question, options);
    expect(share.residues).toEqual(BigUint64Array.of(2n, 3n));
  });

  it('accuses a peer whose share has another length', async () => {
    const [asker, peer] = await startPair();
    const shapeOf = (width: number) => ({ primes: [2053n], width, polynomials: 1 });
    const residues = new BigUint64Array(4);
    await shares.register(peer, async () => ({ signature, shape: shapeOf(4), residues }));
    for (const [expected, code] of [
      [5, NetErrorCode.answerLengthWrong],
      [3, NetErrorCode.answerTooLong],
    ] as const) {
      const options = { signal: never(), shape: shapeOf(expected) };
      await expectFailure(
        shares.askUntilAnswered(asker, peer.peerId, question, options),
        code,
        'accuse',
      );
    }
  });
});

describe('results', () => {
  it('carries a signed result of the expected length', async () => {
    const [asker, peer] = await startPair();
    const result = seededBytes('result', 16);
    await results.register(peer, async () => ({ signature, result }));
    const question = { epochId, resultId: hex('request', 32) };
    expect(
      await results.ask(asker, peer.peerId, question, { signal: never(), resultBytes: 16 }),
    ).toEqual({ signature, result });
    await expectFailure(
      results.ask(asker, peer.peerId, question, { signal: never(), resultBytes: 24 }),
      NetErrorCode.answerLengthWrong,
      'accuse',
    );
  });
});

describe('blobs', () => {
  const blob = seededBytes('blob', 700_000);

  it('carries the bytes with the digest, and refuses others', async () => {
    const [asker, peer] = await startPair();
    await blobs.register(peer, async (_, digest) =>
      digest === sha256(blob) ? blob : new Refusal(RefusalCode.unknown),
    );
    const options = { signal: never(), maxBytes: blob.length };
    const received = await blobs.askUntilAnswered(asker, peer.peerId, sha256(blob), options);
    expect(Buffer.compare(received, blob)).toBe(0);
    await expectFailure(
      blobs.askUntilAnswered(asker, peer.peerId, hex('other', 32), options),
      NetErrorCode.refused,
      'reject',
    );
  });

  it('accuses a peer that sends other bytes', async () => {
    const [asker, peer] = await startPair();
    const forged = Uint8Array.from(blob);
    forged[forged.length - 1] ^= 1;
    await blobs.register(peer, async () => forged);
    await expectFailure(
      blobs.askUntilAnswered(asker, peer.peerId, sha256(blob), {
        signal: never(),
        maxBytes: blob.length,
      }),
      NetErrorCode.digestMismatch,
      'accuse',
    );
  });

  it('hashes each attempt anew', async () => {
    const [asker, peer] = await startPair();
    let attempts = 0;
    await peer.handle('/keyloom/blobs/1', async (_, stream) => {
      attempts += 1;
      stream.send(Uint8Array.of(0, 3, 0, 0, 0, 1, 2));
      if (attempts === 2) stream.send(Uint8Array.of(3));
      await stream.close();
    });
    const digest = sha256(Uint8Array.of(1, 2, 3));
    const options = { signal: never(), maxBytes: 3 };
    expect(await blobs.askUntilAnswered(asker, peer.peerId, digest, options)).toEqual(
      Uint8Array.of(1, 2, 3),
    );
  });

  it('does not take a blob that is too long, and does not accuse for it', async () => {
    const [asker, peer] = await startPair();
    await blobs.register(peer, async () => blob);
    const options = { signal: never(), maxBytes: blob.length - 1 };
    await expectFailure(
      blobs.askUntilAnswered(asker, peer.peerId, sha256(blob), options),
      NetErrorCode.blobTooLong,
      'reject',
    );
  });
});

describe('a malformed question', () => {
  it('is refused and reported, and never reaches the provider', async () => {
    const [asker, peer] = await startPair();
    await setup.register(peer, () => Promise.reject(new TypeError('not asked')));
    const stream = await asker.openStream(peer.peerId, '/keyloom/setup/1', never());
    const received: number[] = [];
    const ended = new Promise((resolve) => stream.addEventListener('end', resolve));
    stream.addEventListener('message', ({ data }) => received.push(...data.subarray()));
    const question = [...seededBytes('proposal', 32), 200, ...seededBytes('signature', 65)];
    stream.send(Uint8Array.of(question.length, 0, 0, 0, ...question));
    await stream.close();
    await ended;
    expect(received).toEqual([1, RefusalCode.malformed]);
    expect(peer.faults).toMatchObject([
      { peerId: asker.peerId, error: { code: NetErrorCode.questionMalformed, verdict: 'accuse' } },
    ]);
  });
});

function bytesOf(residues: BigUint64Array): Uint8Array {
  return new Uint8Array(residues.buffer, residues.byteOffset, residues.byteLength);
}
