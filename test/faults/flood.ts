import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, MessageStream, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

import { questionFrame } from '../../workers/net/exchange/frames.ts';
import { streamWindowBytes } from '../../workers/net/host/frame-guard.ts';

/** As in the yamux specification. */
export const FrameType = { data: 0, windowUpdate: 1, ping: 2 } as const;
export const FrameFlag = { none: 0, syn: 1, fin: 4, rst: 8 } as const;

/** The header of a yamux frame. What follows it need not be as long as it says. */
export function frameHeader(
  type: number,
  flags: number,
  stream: number,
  length: number,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint8(1, type);
  view.setUint16(2, flags);
  view.setUint32(4, stream);
  view.setUint32(8, length);
  return new Uint8Array(view.buffer);
}

/** Streams that were opened by `Flooder.send` have ids from here on, apart from those of its muxer. */
export const FIRST_RAW_STREAM = 1_000_001;

/**
 * A peer that keeps to no limits: it has the transport, and on it does what it likes. With the key of a
 * registered operator it is a member of that one's committees, without it is a stranger.
 */
export class Flooder {
  readonly #node: Libp2p;
  readonly #address: string;
  readonly #wires: MessageStream[];

  private constructor(node: Libp2p, address: string, wires: MessageStream[]) {
    this.#node = node;
    this.#address = address;
    this.#wires = wires;
  }

  /**
   * @param address of the victim, with or without its peer id
   * @param privateKey protobuf-encoded; a new one if absent
   */
  static async start(address: string, privateKey?: Uint8Array): Promise<Flooder> {
    const wires: MessageStream[] = [];
    const factory = yamux({
      maxOutboundStreams: 2 ** 20,
      // Otherwise its muxer grants more than an honest one, and it is cut before it has begun.
      streamOptions: { maxStreamWindowSize: streamWindowBytes },
    })();
    const node = await createLibp2p({
      ...(privateKey && { privateKey: privateKeyFromProtobuf(privateKey) }),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        () => ({
          protocol: factory.protocol,
          createStreamMuxer(connection) {
            wires.push(connection);
            return factory.createStreamMuxer(connection);
          },
        }),
      ],
      connectionMonitor: { enabled: false },
    });
    return new Flooder(node, address, wires);
  }

  get peerId(): string {
    return this.#node.peerId.toString();
  }

  /** Connections that the victim has left open. */
  get open(): Connection[] {
    return this.#node.getConnections().filter(({ status }) => status === 'open');
  }

  /** One more connection. Rejects if the victim does not have it. */
  dial(): Promise<Connection> {
    return this.#node.dial(multiaddr(this.#address), { force: true });
  }

  /** Sends bytes past the muxer, on the newest connection if that is open. */
  send(bytes: readonly Uint8Array[]): void {
    const wire = this.#wires.at(-1);
    if (wire?.status === 'open') wire.send(Buffer.concat(bytes));
  }

  /** A stream on a connection of its own choice. */
  stream(connection: Connection, protocol: string): Promise<Stream> {
    return connection.newStream(protocol, { maxOutboundStreams: Infinity });
  }

  /** Puts a question and does not read the answer until the stream is resumed. */
  async askUnread(connection: Connection, protocol: string, question: Uint8Array): Promise<Stream> {
    const stream = await this.stream(connection, protocol);
    stream.pause();
    stream.send(questionFrame(question));
    await stream.close();
    return stream;
  }

  /** Puts a question; returns the first two bytes of what comes, which say what became of it. */
  async ask(connection: Connection, protocol: string, question: Uint8Array): Promise<number[]> {
    const stream = await this.stream(connection, protocol);
    const { promise, resolve } = Promise.withResolvers<number[]>();
    const received: number[] = [];
    stream.addEventListener('message', ({ data }) => {
      if (received.length < 2) received.push(...data.subarray(0, 2));
    });
    for (const end of ['end', 'close'] as const)
      stream.addEventListener(end, () => resolve(received.slice(0, 2)));
    stream.send(questionFrame(question));
    await stream.close();
    return promise;
  }

  async stop(): Promise<void> {
    await this.#node.stop();
  }
}
