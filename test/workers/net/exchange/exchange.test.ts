import type { Stream } from '@libp2p/interface';
import { describe, expect, it } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import {
  answer,
  ask,
  askUntilAnswered,
  Refusal,
  RefusalCode,
  type Answerer,
} from '../../../../workers/net/exchange/index.ts';
import type { Host, HostOptions } from '../../../../workers/net/host/index.ts';
import {
  addressOf,
  expectFailure,
  never,
  quick,
  seededBytes,
  startHost,
  startPair,
  type TestHost,
} from '../support.ts';

const protocol = '/test/1';
const question = Uint8Array.of(1, 2, 3);
const reply = Uint8Array.of(4, 5, 6, 7);

async function pairWith(
  answerer: Answerer,
  asking: Partial<HostOptions> = {},
  answering: Partial<HostOptions> = {},
): Promise<[TestHost, TestHost]> {
  const hosts = await startPair(asking, answering);
  await answer(hosts[1], protocol, question.length, answerer);
  return hosts;
}

function put(from: Host, to: Host, signal = never(), maxBytes = 4): Promise<Uint8Array> {
  return ask(from, to.peerId, protocol, question, { signal, maxBytes });
}

function putUntilAnswered(from: Host, to: { peerId: string }, signal = never()) {
  return askUntilAnswered(from, to.peerId, protocol, question, { signal, maxBytes: 4 });
}

async function closed(stream: Stream): Promise<void> {
  if (stream.status !== 'open') return;
  await new Promise((resolve) => stream.addEventListener('close', resolve));
}

describe('exchange', () => {
  it('carries answers of many sizes', async () => {
    const sizes = [0, 1, 65_535, 262_144, 1_000_000, 9_000_000];
    const bodies = sizes.map((size) => new Uint8Array(size).fill(size % 251));
    const [asker, answerer] = await pairWith(async (_, [index]) => bodies[index]);
    for (const [index, body] of bodies.entries()) {
      const received = await ask(asker, answerer.peerId, protocol, Uint8Array.of(index, 0, 0), {
        signal: never(),
        maxBytes: body.length,
      });
      expect(Buffer.compare(received, body)).toBe(0);
    }
  });

  it('counts the bytes of questions and answers on both sides', async () => {
    const body = new Uint8Array(100_000);
    const chunks = async function* () {
      yield* [body.subarray(0, 1), body.subarray(1)];
    };
    const [asker, answerer] = await pairWith(async (_, [first]) => {
      if (first === 0) return body;
      return first === 1 ? { length: body.length, chunks: chunks() } : new Refusal(1);
    });
    const ofQuestion = 4 + 3;
    const ofAnswer = 5 + body.length;
    const ofRefusal = 2;
    for (const [first, sentBytes, receivedBytes] of [
      [0, ofQuestion, ofAnswer],
      [1, 2 * ofQuestion, 2 * ofAnswer],
      [2, 3 * ofQuestion, 2 * ofAnswer + ofRefusal],
    ]) {
      await ask(asker, answerer.peerId, protocol, Uint8Array.of(first, 0, 0), {
        signal: never(),
        maxBytes: body.length,
      }).catch(() => undefined);
      expect(asker.traffic).toEqual({ sentBytes, receivedBytes });
      expect(answerer.traffic).toEqual({ sentBytes: receivedBytes, receivedBytes: sentBytes });
    }
  });

  it('takes the pieces of a long answer no faster than the asker reads', async () => {
    const piece = new Uint8Array(200_000).fill(7);
    let taken = 0;
    async function* pieces() {
      for (let count = 0; count < 60; count++) {
        taken += piece.length;
        yield piece;
      }
    }
    const length = 60 * piece.length;
    const [asker, answerer] = await pairWith(async () => ({ length, chunks: pieces() }));
    let received = 0;
    let lead = 0;
    const answer = await ask(asker, answerer.peerId, protocol, question, {
      signal: never(),
      maxBytes: length,
      onChunk: (chunk) => {
        received += chunk.length;
        lead = Math.max(lead, taken - received);
      },
    });
    expect(answer).toEqual(new Uint8Array(length).fill(7));
    expect(lead).toBeLessThan(1_000_000);
  });

  it('closes a long answer that the asker does not want any more', async () => {
    const closed = Promise.withResolvers<void>();
    async function* pieces() {
      try {
        for (;;) yield new Uint8Array(200_000);
      } finally {
        closed.resolve();
      }
    }
    const [asker, answerer] = await pairWith(async () => ({ length: 2 ** 31, chunks: pieces() }));
    const withdraw = new AbortController();
    const asked = ask(asker, answerer.peerId, protocol, question, {
      signal: withdraw.signal,
      maxBytes: 2 ** 31,
      onChunk: () => withdraw.abort(),
    });
    await expectFailure(asked, NetErrorCode.aborted);
    await closed.promise;
  });

  it('answers many questions at once, each with its own answer', async () => {
    const [asker, answerer] = await pairWith(async (_, bytes) => Uint8Array.from(bytes).reverse());
    const questions = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index, 1, 2));
    const answers = await Promise.all(
      questions.map((bytes) =>
        ask(asker, answerer.peerId, protocol, bytes, { signal: never(), maxBytes: 3 }),
      ),
    );
    expect(answers).toEqual(questions.map((bytes) => Uint8Array.from(bytes).reverse()));
  });

  it('holds a question until its answer exists', async () => {
    const asked = Promise.withResolvers<void>();
    const exists = Promise.withResolvers<Uint8Array>();
    const [asker, answerer] = await pairWith(async () => {
      asked.resolve();
      return exists.promise;
    });
    const pending = put(asker, answerer);
    await asked.promise;
    exists.resolve(reply);
    expect(await pending).toEqual(reply);
  });

  it('says "not yet" after the longest hold, and is asked again', async () => {
    let asked = 0;
    const answerer: Answerer = async (_, __, signal) => {
      asked += 1;
      if (asked === 3) return reply;
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    const [asker, peer] = await pairWith(answerer, {}, { limits: { holdMs: 20 } });
    await expectFailure(put(asker, peer), NetErrorCode.notYet, 'ignore');
    expect(await putUntilAnswered(asker, peer)).toEqual(reply);
    expect(asked).toBe(3);
    expect(peer.faults).toEqual([]);
  });

  it('tells the answering side when the asker withdraws', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const [asker, answerer] = await pairWith((_, __, signal) => {
      asked.resolve(signal);
      return new Promise(() => {});
    });
    const withdrawal = new AbortController();
    const pending = expectFailure(
      putUntilAnswered(asker, answerer, withdrawal.signal),
      NetErrorCode.aborted,
      'ignore',
    );
    const signal = await asked.promise;
    const told = new Promise((resolve) => signal.addEventListener('abort', resolve));
    withdrawal.abort();
    await Promise.all([pending, told]);
    expect(signal.reason).toMatchObject({ code: NetErrorCode.aborted });
  });

  it('does not ask when it is aborted beforehand', async () => {
    let asked = false;
    const [asker, answerer] = await pairWith(async () => {
      asked = true;
      return reply;
    });
    await expectFailure(put(asker, answerer, AbortSignal.abort()), NetErrorCode.aborted);
    await expectFailure(
      putUntilAnswered(asker, answerer, AbortSignal.abort()),
      NetErrorCode.aborted,
    );
    expect(asked).toBe(false);
  });

  it('asks again when the peer restarts in between', async () => {
    const asked = Promise.withResolvers<void>();
    const [asker, first] = await pairWith(() => {
      asked.resolve();
      return new Promise(() => {});
    });
    const pending = putUntilAnswered(asker, first);
    await asked.promise;
    const listen = [addressOf(first).replace(/\/p2p\/.*/, '')];
    await first.stop();
    const second = await startHost({ privateKey: first.key, listen });
    expect(second.peerId).toBe(first.peerId);
    await answer(second, protocol, question.length, async () => reply);
    expect(await pending).toEqual(reply);
  });

  it('asks a peer that starts later, as soon as that one connects', async () => {
    // Waits so long that only the inbound connection can end them in time.
    const asker = await startHost({ limits: { backoffMs: 3_600_000, maxBackoffMs: 3_600_000 } });
    const late = await startHost();
    const pending = putUntilAnswered(asker, late);
    await answer(late, protocol, question.length, async () => reply);
    late.setPeers([{ peerId: asker.peerId, multiaddr: addressOf(asker) }]);
    await expectFailure(put(late, asker), NetErrorCode.protocolUnsupported, 'ignore');
    expect(await pending).toEqual(reply);
  });

  it('gives up when it is refused, and not when the peer is busy or failed', async () => {
    const outcomes = [RefusalCode.busy, RefusalCode.failed, RefusalCode.unknown] as const;
    let asked = 0;
    const [asker, answerer] = await pairWith(async () => new Refusal(outcomes[asked++]));
    const error = await expectFailure(
      putUntilAnswered(asker, answerer),
      NetErrorCode.refused,
      'reject',
    );
    expect(error.metadata.refusal).toBe(RefusalCode.unknown);
    expect(asked).toBe(3);
  });

  it('reports a provider that throws, and only says that it failed', async () => {
    const cause = new TypeError('a secret');
    const [asker, answerer] = await pairWith(async () => Promise.reject(cause));
    await expectFailure(put(asker, answerer), NetErrorCode.peerFailed, 'ignore');
    expect(answerer.faults).toMatchObject([
      { peerId: asker.peerId, error: { code: NetErrorCode.providerFailed, cause } },
    ]);
  });

  it('answers "busy" to one question too many, until one is answered', async () => {
    const exists = Promise.withResolvers<Uint8Array>();
    const bothAsked = Promise.withResolvers<void>();
    let asked = 0;
    const [asker, answerer] = await pairWith(
      () => {
        asked += 1;
        if (asked === 2) bothAsked.resolve();
        return exists.promise;
      },
      {},
      { limits: { ...quick, openQuestionsPerPeer: 2 } },
    );
    const held = [put(asker, answerer), put(asker, answerer)];
    await bothAsked.promise;
    await expectFailure(put(asker, answerer), NetErrorCode.peerBusy, 'ignore');
    const patient = putUntilAnswered(asker, answerer);
    exists.resolve(reply);
    expect(await Promise.all([...held, patient])).toEqual([reply, reply, reply]);
  });

  it('frees the place of a question whose asker has gone', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const answers = [() => new Promise<Uint8Array>(() => {}), async () => reply];
    const [asker, peer] = await pairWith(
      (_, __, signal) => {
        asked.resolve(signal);
        return answers.shift()!();
      },
      {},
      { limits: { openQuestionsPerPeer: 1 } },
    );
    const withdrawal = new AbortController();
    const gone = expectFailure(put(asker, peer, withdrawal.signal), NetErrorCode.aborted);
    const signal = await asked.promise;
    const told = new Promise((resolve) => signal.addEventListener('abort', resolve));
    withdrawal.abort();
    await Promise.all([gone, told]);
    expect(await put(asker, peer)).toEqual(reply);
  });
});

describe('a peer that asks for too much', () => {
  /** Sends raw bytes as a question and returns once the peer has answered, or cut the stream. */
  async function sendRaw(from: Host, to: Host, bytes: Uint8Array): Promise<number> {
    const stream = await from.openStream(to.peerId, protocol, never());
    let received = 0;
    const over = new Promise((resolve) => {
      stream.addEventListener('message', ({ data }) => (received += data.byteLength));
      stream.addEventListener('end', resolve);
      stream.addEventListener('close', resolve);
    });
    stream.send(bytes);
    await stream.close().catch(() => {});
    await over;
    return received;
  }

  it.each([
    ['a length that is too large', Uint8Array.of(4, 0, 0, 0, 1, 2, 3, 4)],
    ['a length of 4 GiB', Uint8Array.of(255, 255, 255, 255, 1)],
    ['more bytes than it announced', Uint8Array.of(3, 0, 0, 0, 1, 2, 3, 4)],
    ['random bytes', seededBytes('garbage', 64)],
  ])('is cut and reported for %s', async (_, bytes) => {
    let asked = false;
    const [asker, answerer] = await pairWith(async () => {
      asked = true;
      return reply;
    });
    expect(await sendRaw(asker, answerer, bytes)).toBe(0);
    expect(answerer.faults).toMatchObject([
      { peerId: asker.peerId, error: { code: NetErrorCode.questionLengthWrong } },
    ]);
    expect(asked).toBe(false);
  });

  it('is not accused for a question that its connection cut short', async () => {
    const [asker, answerer] = await pairWith(async () => reply);
    expect(await sendRaw(asker, answerer, Uint8Array.of(3, 0, 0, 0, 1))).toBe(0);
    expect(answerer.faults).toEqual([]);
  });

  it('is cut when it opens a stream and asks nothing', async () => {
    const [asker, answerer] = await pairWith(
      async () => reply,
      {},
      { limits: { questionTimeoutMs: 30 } },
    );
    const stream = await asker.openStream(answerer.peerId, protocol, never());
    await closed(stream);
    expect(stream.status).toBe('reset');
  });

  it('is cut when it does not take the answer', async () => {
    const answers = [new Uint8Array(4_000_000), reply];
    const [asker, answerer] = await pairWith(
      async () => answers.shift()!,
      {},
      { limits: { idleTimeoutMs: 50, openQuestionsPerPeer: 1 } },
    );
    const stream = await asker.openStream(answerer.peerId, protocol, never());
    stream.pause();
    stream.send(Uint8Array.of(3, 0, 0, 0, ...question));
    await stream.close();
    await closed(stream);
    expect(stream.status).toBe('reset');
    expect(await put(asker, answerer)).toEqual(reply);
  });
});

describe('a peer that answers wrongly', () => {
  /** A peer that answers with these bytes, whatever is asked, and then closes its side or not. */
  async function rawPeer(
    bytes: Uint8Array,
    { close }: { close: boolean },
    limits: HostOptions['limits'] = {},
  ): Promise<[Host, Host]> {
    const [asker, peer] = await startPair({ limits });
    await peer.handle(protocol, async (_, stream) => {
      stream.send(bytes);
      if (close) await stream.close();
    });
    return [asker, peer];
  }

  it.each([
    ['announces too much', [0, 5, 0, 0, 0, 1, 2, 3, 4, 5], NetErrorCode.answerTooLong],
    ['announces 4 GiB', [0, 255, 255, 255, 255], NetErrorCode.answerTooLong],
    ['sends more than it announced', [0, 2, 0, 0, 0, 1, 2, 3], NetErrorCode.answerOverrun],
    ['sends an unknown status', [7, 1], NetErrorCode.frameInvalid],
    ['adds bytes to a refusal', [1, 3, 3], NetErrorCode.frameInvalid],
  ])('is accused when it %s', async (_, bytes, code) => {
    // Cut at once: none of these waits for the peer to close its side.
    const [asker, peer] = await rawPeer(Uint8Array.from(bytes), { close: false });
    await expectFailure(put(asker, peer), code, 'accuse');
    await expectFailure(putUntilAnswered(asker, peer), code, 'accuse');
  });

  it.each([
    ['nothing', []],
    ['part of a header', [0, 4, 0]],
    ['part of a body', [0, 4, 0, 0, 0, 1, 2, 3]],
    ['part of a refusal', [1]],
  ])('is not accused when it sends %s and stops', async (_, bytes) => {
    const [asker, peer] = await rawPeer(Uint8Array.from(bytes), { close: true });
    await expectFailure(put(asker, peer), NetErrorCode.streamEnded, 'ignore');
  });

  it.each([
    ['answer', [], { answerTimeoutMs: 30 }],
    ['idle', [0, 4, 0, 0, 0, 1, 2], { idleTimeoutMs: 30 }],
    ['idle', [0, 4, 0, 0, 0, 1, 2, 3, 4], { idleTimeoutMs: 30 }],
    ['transfer', [0, 4, 0, 0, 0, 1, 2], { transferTimeoutMs: 30 }],
  ])('is not waited for past the limit "%s"', async (limit, bytes, limits) => {
    const [asker, peer] = await rawPeer(Uint8Array.from(bytes), { close: false }, limits);
    const error = await expectFailure(put(asker, peer), NetErrorCode.timedOut, 'ignore');
    expect(error.metadata.limit).toBe(limit);
  });

  it('never makes the asker throw without a code', async () => {
    const [asker, peer] = await startPair();
    let round = 0;
    await peer.handle(protocol, async (_, stream) => {
      const bytes = seededBytes(`answer ${round}`, round % 20);
      if (round % 3 === 0 && bytes.length > 0) bytes[0] = round % 4;
      stream.send(bytes);
      await stream.close();
    });
    for (; round < 60; round++) {
      const outcome: unknown = await put(asker, peer).catch((error: unknown) => error);
      if (outcome instanceof Uint8Array) continue;
      expect(Object.values(NetErrorCode)).toContain((outcome as { code: NetErrorCode }).code);
    }
  });
});
