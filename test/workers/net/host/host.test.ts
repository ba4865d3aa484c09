import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { MessageStream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { describe, expect, it, vi } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { answer, ask } from '../../../../workers/net/exchange/index.ts';
import { createHost } from '../../../../workers/net/host/index.ts';
import { addressOf, expectFailure, introduce, never, startHost, startPair } from '../support.ts';

const protocol = '/test/1';
const question = Uint8Array.of(1, 2, 3);

async function echo(host: Parameters<typeof answer>[0]): Promise<void> {
  await answer(host, protocol, 3, async (_, bytes) => bytes);
}

function put(from: Parameters<typeof ask>[0], to: { peerId: string }, signal = never()) {
  return ask(from, to.peerId, protocol, question, { signal, maxBytes: 3 });
}

describe('host', () => {
  it('asks a peer by its id and tells the peer who asks', async () => {
    const [asker, answerer] = await startPair();
    const askers: string[] = [];
    await answer(answerer, protocol, 3, async (peerId, bytes) => {
      askers.push(peerId);
      return bytes;
    });
    expect(await put(asker, answerer)).toEqual(question);
    expect(askers).toEqual([asker.peerId]);
  });

  it('asks over the connection that the peer dialled, without an address', async () => {
    const [dialler, dialled] = await startPair();
    await Promise.all([echo(dialler), echo(dialled)]);
    await expectFailure(put(dialled, dialler), NetErrorCode.peerUnreachable, 'ignore');
    await put(dialler, dialled);
    expect(await put(dialled, dialler)).toEqual(question);
  });

  it('serves both directions when both dial at once', async () => {
    const [one, two] = [await startHost(), await startHost()];
    introduce(one, two);
    introduce(two, one);
    await Promise.all([echo(one), echo(two)]);
    const answers = await Promise.all([put(one, two), put(two, one), put(one, two), put(two, one)]);
    expect(answers).toEqual([question, question, question, question]);
  });

  it('refuses an inbound peer that is not allowed', async () => {
    const [stranger, host] = await startPair({}, { isAllowed: () => false });
    await echo(host);
    await expectFailure(put(stranger, host), NetErrorCode.peerUnreachable, 'ignore');
  });

  it('does not dial a peer that is not allowed', async () => {
    const [asker, peer] = await startPair({ isAllowed: () => false });
    await echo(peer);
    await expectFailure(put(asker, peer), NetErrorCode.peerNotAllowed, 'reject');
  });

  it('stops serving and asking a peer that is no longer allowed', async () => {
    const allowed = new Set<string>();
    const [asker, answerer] = await startPair({}, { isAllowed: (peerId) => allowed.has(peerId) });
    allowed.add(asker.peerId);
    await Promise.all([echo(asker), echo(answerer)]);
    expect(await put(asker, answerer)).toEqual(question);
    allowed.clear();
    // On the connection that is still open, and then on none.
    await expect(put(asker, answerer)).rejects.toMatchObject({ verdict: 'ignore' });
    answerer.setPeers([]);
    await expectFailure(put(answerer, asker), NetErrorCode.peerNotAllowed, 'reject');
    await expectFailure(put(asker, answerer), NetErrorCode.peerUnreachable, 'ignore');
  });

  it('does not take another peer for the one that it asked', async () => {
    const [asker, impostor] = await startPair();
    const victim = await startHost();
    await echo(impostor);
    const multiaddrOfImpostor = addressOf(impostor).replace(/\/p2p\/.*/, '');
    asker.setPeers([{ peerId: victim.peerId, multiaddr: multiaddrOfImpostor }]);
    await expectFailure(put(asker, victim), NetErrorCode.peerUnreachable, 'ignore');
  });

  it('uses the good addresses and reports the bad ones', async () => {
    const [asker, answerer] = await startPair();
    await echo(answerer);
    const other = await startHost();
    const errors = asker.setPeers([
      { peerId: 'nobody', multiaddr: '/ip4/127.0.0.1/tcp/1' },
      { peerId: other.peerId, multiaddr: '/unix/socket' },
      { peerId: answerer.peerId, multiaddr: addressOf(answerer) },
    ]);
    expect(errors.map(({ code }) => code)).toEqual([
      NetErrorCode.peerIdInvalid,
      NetErrorCode.addressInvalid,
    ]);
    expect(await put(asker, answerer)).toEqual(question);
    await expectFailure(put(asker, other), NetErrorCode.peerUnreachable, 'ignore');
    await expectFailure(put(asker, { peerId: 'nobody' }), NetErrorCode.peerIdInvalid, 'reject');
  });

  it('dials a peer that is down once per wait, whoever asks', async () => {
    const [asker, peer] = await startPair({ limits: { backoffMs: 60_000, maxBackoffMs: 60_000 } });
    await peer.stop();
    const first = await expectFailure(put(asker, peer), NetErrorCode.peerUnreachable);
    const second = await expectFailure(put(asker, peer), NetErrorCode.peerUnreachable);
    expect(first.cause).toBeDefined();
    expect(second.cause).toBeUndefined();
  });

  it('waits before it dials again where a connection has not lasted', async () => {
    let isAllowed = true;
    const [asker, peer] = await startPair(
      { limits: { backoffMs: 60_000, maxBackoffMs: 60_000 } },
      { isAllowed: () => isAllowed },
    );
    await echo(peer);
    await put(asker, peer);
    isAllowed = false;
    peer.setPeers([]);
    isAllowed = true;
    await vi.waitFor(() => expect(asker.connectedPeers().size).toBe(0));
    const error = await expectFailure(put(asker, peer), NetErrorCode.peerUnreachable);
    expect(error.cause).toBeUndefined();
  });

  it('keeps only the newest connections of one peer', async () => {
    const host = await startHost({ limits: { connectionsPerPeer: 2 } });
    const attacker = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    });
    const connections = [];
    for (let count = 0; count < 3; count++) {
      connections.push(await attacker.dial(multiaddr(addressOf(host)), { force: true }));
    }
    const [oldest] = connections;
    if (oldest.status === 'open') {
      await new Promise((resolve) => oldest.addEventListener('close', resolve));
    }
    expect(connections.filter(({ status }) => status === 'open').length).toBe(2);
    await attacker.stop();
  });

  it('cuts and reports a peer whose frames would exhaust memory', async () => {
    const host = await startHost();
    const captured: MessageStream[] = [];
    const attacker = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        () => {
          const factory = yamux()();
          return {
            protocol: factory.protocol,
            createStreamMuxer(connection) {
              captured.push(connection);
              return factory.createStreamMuxer(connection);
            },
          };
        },
      ],
    });
    const connection = await attacker.dial(multiaddr(addressOf(host)));
    // A first stream, so that the host has taken the connection for open.
    await expect(connection.newStream(protocol)).rejects.toThrow();
    const closed = new Promise((resolve) => connection.addEventListener('close', resolve));
    captured[0].send(Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff));
    await closed;
    expect(host.faults).toMatchObject([
      { peerId: attacker.peerId.toString(), error: { code: NetErrorCode.connectionAbused } },
    ]);
    await attacker.stop();
  });

  it('ends open questions when it is stopped, on both sides', async () => {
    const [asker, answerer] = await startPair();
    const asked = Promise.withResolvers<AbortSignal>();
    await answer(answerer, protocol, 3, (_, __, signal) => {
      asked.resolve(signal);
      return new Promise(() => {});
    });
    const pending = expectFailure(put(asker, answerer), NetErrorCode.hostStopped, 'ignore');
    const signal = await asked.promise;
    const withdrawn = new Promise((resolve) => signal.addEventListener('abort', resolve));
    await asker.stop();
    await pending;
    await withdrawn;
    await expectFailure(put(asker, answerer), NetErrorCode.hostStopped, 'ignore');
  });

  it('fails to start with a coded error', async () => {
    const host = await startHost();
    const taken = addressOf(host).replace(/\/p2p\/.*/, '');
    await expectFailure(startHost({ listen: [taken] }), NetErrorCode.listenFailed);
    await expectFailure(startHost({ listen: ['nonsense'] }), NetErrorCode.listenFailed);
    const options = { privateKey: new Uint8Array(4), listen: [], isAllowed: () => true };
    await expectFailure(createHost(options), NetErrorCode.keyInvalid);
  });
});
