import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { answer, ask, RefusalCode } from '../../../../workers/net/exchange/index.ts';
import { Status } from '../../../../workers/net/exchange/frames.ts';
import { generatePeerKey, peerIdOf } from '../../../../workers/net/host/index.ts';
import type { Limits } from '../../../../workers/net/limits.ts';
import {
  FIRST_RAW_STREAM,
  Flooder,
  FrameFlag,
  FrameType,
  frameHeader,
} from '../../../faults/flood.ts';
import { addressOf, introduce, never, startHost, type TestHost } from '../support.ts';

// What a member of the committee, or a stranger, does to a host while another member asks it.

const protocol = '/test/1';
const question = Uint8Array.of(1, 2, 3);
const ANSWER_BYTES = 2 ** 20;
const few = { burst: 200, perSecond: 0 };
const BUSY = [Status.refused, RefusalCode.busy];
const ANSWERED = [Status.answered, 0];

const flooders: Flooder[] = [];
let victim: TestHost;
let honest: TestHost;
let memberKey: Uint8Array;
let begun: number;

beforeEach(async () => {
  memberKey = await generatePeerKey();
});
afterEach(() => Promise.all(flooders.splice(0).map((flooder) => flooder.stop())));

async function startVictim(limits: Partial<Limits> = {}): Promise<void> {
  honest = await startHost();
  const members = [honest.peerId, peerIdOf(memberKey)];
  victim = await startHost({
    isAllowed: (peerId) => members.includes(peerId),
    // All of this comes from one address.
    limits: { connectionsPerSecond: 10_000, ...limits },
  });
  begun = 0;
  const body = new Uint8Array(ANSWER_BYTES);
  await answer(victim, protocol, question.length, async () => {
    begun += 1;
    return body;
  });
  introduce(honest, victim);
  await isServed();
}

async function member(): Promise<Flooder> {
  const flooder = await Flooder.start(addressOf(victim), memberKey);
  flooders.push(flooder);
  return flooder;
}

/** The honest member still gets its answer. */
async function isServed(): Promise<void> {
  const options = { signal: never(), maxBytes: ANSWER_BYTES };
  const body = await ask(honest, victim.peerId, protocol, question, options);
  expect(body.length).toBe(ANSWER_BYTES);
}

describe('a member', () => {
  it('that asks faster than it may is told "busy", and costs no more work', async () => {
    await startVictim({ questionRate: { burst: 10, perSecond: 0 } });
    const flooder = await member();
    const connection = await flooder.dial();
    begun = 0;
    const answers = [];
    for (let count = 0; count < 50; count++)
      answers.push(await flooder.ask(connection, protocol, question));
    expect(answers.slice(0, 10)).toEqual(Array(10).fill(ANSWERED));
    expect(answers.slice(10)).toEqual(Array(40).fill(BUSY));
    expect(begun).toBe(10);
    expect(victim.admission.refusals).toMatchObject({ rate: 40, questions: 0, frames: 0 });
    await isServed();
  });

  it('that asks and does not read has few answers held for it', async () => {
    await startVictim({ answerBytesPerPeer: 4.5 * ANSWER_BYTES });
    const flooder = await member();
    const connection = await flooder.dial();
    const streams = [];
    for (let count = 0; count < 20; count++)
      streams.push(await flooder.askUnread(connection, protocol, question));
    await vi.waitFor(() => expect(victim.admission.refusals.answers).toBe(16));
    expect(victim.admission.held.answerBytes).toBeLessThanOrEqual(4.5 * ANSWER_BYTES);
    await isServed();
    connection.abort(new Error('enough'));
    await vi.waitFor(() => expect(victim.admission.held).toEqual({ questions: 0, answerBytes: 0 }));
  });

  it('that opens streams and asks nothing has so many of them', async () => {
    await startVictim();
    let open = 0;
    await victim.handle('/open/1', async () => void (open += 1));
    const flooder = await member();
    const connection = await flooder.dial();
    const opened = await Promise.allSettled(
      Array.from({ length: 1_100 }, () => flooder.stream(connection, '/open/1')),
    );
    const refused = (): number =>
      opened.filter((one) => one.status === 'rejected' || one.value.status !== 'open').length;
    await vi.waitFor(() => expect(open + refused()).toBeGreaterThanOrEqual(1_100), 60_000);
    expect(open).toBeLessThanOrEqual(1_024);
    await isServed();
  });

  it('that dials again and again has few connections', async () => {
    await startVictim({ connectionRatePerPeer: { burst: 5, perSecond: 0 } });
    const flooder = await member();
    const outcomes = [];
    for (let count = 0; count < 20; count++)
      outcomes.push(
        await flooder.dial().then(
          (connection) => connection.remotePeer,
          () => null,
        ),
      );
    await vi.waitFor(() => expect(victim.admission.refusals.connections).toBe(15));
    await vi.waitFor(() => expect(flooder.open.length).toBeLessThanOrEqual(3));
    await isServed();
  });

  const raw = (count: number, frames: (index: number) => Uint8Array[]): Uint8Array[] =>
    Array.from({ length: count }, (_, index) => frames(index)).flat();
  const { data, windowUpdate, ping } = FrameType;
  const { none, syn, rst } = FrameFlag;

  it.each<[string, Partial<Limits>, Uint8Array[]]>([
    ['announces a frame of 4 GiB', {}, [frameHeader(data, syn, FIRST_RAW_STREAM, 2 ** 32 - 1)]],
    ['grants a window of 4 GiB', {}, [frameHeader(windowUpdate, none, 2, 2 ** 32 - 1)]],
    [
      'pings without end',
      { pingRate: few },
      raw(few.burst + 1, (index) => [frameHeader(ping, syn, 0, index)]),
    ],
    [
      'opens and resets streams without end',
      { streamRate: few },
      raw(few.burst + 1, (index) => [
        frameHeader(windowUpdate, syn, FIRST_RAW_STREAM + 2 * index, 0),
        frameHeader(windowUpdate, rst, FIRST_RAW_STREAM + 2 * index, 0),
      ]),
    ],
    [
      'sends frames without end',
      { frameRate: few },
      raw(few.burst + 1, () => [frameHeader(windowUpdate, none, 2, 0)]),
    ],
  ])('that %s is cut and reported', async (_, limits, frames) => {
    await startVictim(limits);
    const flooder = await member();
    const connection = await flooder.dial();
    await flooder.ask(connection, protocol, question);
    const closed = new Promise((resolve) => connection.addEventListener('close', resolve));
    flooder.send(frames);
    await closed;
    expect(victim.faults).toMatchObject([
      { peerId: flooder.peerId, error: { code: NetErrorCode.connectionAbused } },
    ]);
    expect(victim.admission.refusals.frames).toBe(1);
    await isServed();
  });

  it('that announces a frame and sends a part of it delays itself only', async () => {
    await startVictim();
    const flooder = await member();
    await flooder.dial();
    flooder.send([frameHeader(data, syn, FIRST_RAW_STREAM, 4_000), new Uint8Array(100)]);
    await isServed();
    expect(victim.faults).toEqual([]);
  });
});

describe('a stranger', () => {
  it('that dials again and again has no connection', async () => {
    await startVictim();
    const flooder = await Flooder.start(addressOf(victim));
    flooders.push(flooder);
    for (let count = 0; count < 20; count++) await flooder.dial().catch(() => undefined);
    await vi.waitFor(() => expect(flooder.open).toEqual([]));
    expect(victim.connectedPeers()).toEqual(new Set([honest.peerId]));
    await isServed();
  });

  it('that connects and says nothing has so many places, each for a while', async () => {
    await startVictim({ pendingConnections: 8, handshakeTimeoutMs: 300 });
    const [, , host, , port] = addressOf(victim).split('/');
    const sockets = Array.from({ length: 30 }, () => connect(Number(port), host));
    let open = sockets.length;
    const closed = sockets.map((socket) => {
      socket.on('error', () => undefined);
      return new Promise<void>((resolve) =>
        socket.once('close', () => {
          open -= 1;
          resolve();
        }),
      );
    });
    await vi.waitFor(() => expect(open).toBeLessThanOrEqual(8));
    await isServed();
    await Promise.all(closed);
    expect(victim.connectedPeers()).toEqual(new Set([honest.peerId]));
  });
});
