import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';

import { NetError, NetErrorCode } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** How much of each kind a connection may carry. */
export type FrameRates = Pick<Limits, 'frameRate' | 'streamRate' | 'pingRate'>;

/** A peer-initiated stream carries the choice of a protocol and one question, no more. */
const maxInboundStreamBytes = 4096;
/** The receive window, which is fixed: no honest data frame is longer. */
export const streamWindowBytes = 256 * 1024;
/** Bytes that may wait to be sent on one connection, beyond what its streams hold themselves. */
const maxConnectionWriteBytes = 8 * 1024 * 1024;
/** Peer-initiated streams that were opened and neither closed nor reset by the peer. */
const maxTrackedStreams = 4096;

const headerBytes = 12;
const frameTypes = { data: 0, windowUpdate: 1, ping: 2 };
const flags = { syn: 1, fin: 4, rst: 8 };

/**
 * Puts a guard in front of a yamux muxer.
 *
 * The muxer gathers a data frame whole before it looks at the receive window, and a frame's header
 * may announce 4 GiB; it also hands out window for streams that nobody reads yet. A member of the
 * committee could use both to exhaust memory. The guard follows the frame headers and aborts the
 * connection with `connectionAbused` when a frame is longer than the window or grants more than it, a
 * peer-initiated stream is longer than a question can be, or there are more frames, pings or new streams
 * than an honest peer has a use for.
 *
 * Source: yamux specification, section "Framing" (header: version u8, type u8, flags u16,
 * stream id u32, length u32, big-endian).
 */
export function guardFrames(factory: StreamMuxerFactory, rates: FrameRates): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection: MessageStream): StreamMuxer {
      const guard = new FrameGuard(connection.direction === 'inbound' ? 1 : 0, rates);
      connection.maxWriteBufferLength = maxConnectionWriteBytes;
      // Registered before the muxer's own listener, so it sees every byte first.
      connection.addEventListener('message', (event) => {
        const error = guard.inspect(event.data.subarray());
        if (error === undefined) return;
        event.stopImmediatePropagation();
        connection.abort(error);
      });
      return factory.createStreamMuxer(connection);
    },
  };
}

/** Follows the yamux frames that a peer sends. */
export class FrameGuard {
  readonly #peerParity: 0 | 1;
  readonly #header = new Uint8Array(headerBytes);
  /** Bytes received on each stream that the peer has open for writing. */
  readonly #received = new Map<number, number>();
  readonly #frames: TokenBucket;
  readonly #openings: TokenBucket;
  readonly #pings: TokenBucket;
  #headerFilled = 0;
  #bodyLeft = 0;
  #lastOpened = 0;

  /** `peerParity`: the lowest bit of the ids of streams that the peer opens; 1 for a dialler. */
  constructor(peerParity: 0 | 1, rates: FrameRates, now?: () => number) {
    this.#peerParity = peerParity;
    this.#frames = new TokenBucket(rates.frameRate, now);
    this.#openings = new TokenBucket(rates.streamRate, now);
    this.#pings = new TokenBucket(rates.pingRate, now);
  }

  /** Streams that the peer has open for writing. */
  get openStreams(): number {
    return this.#received.size;
  }

  /** Takes the next bytes of the connection; returns an error when they break the limits. */
  inspect(bytes: Uint8Array): NetError | undefined {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, bytes.length - offset);
        this.#bodyLeft -= skipped;
        offset += skipped;
        continue;
      }
      const part = bytes.subarray(offset, offset + headerBytes - this.#headerFilled);
      this.#header.set(part, this.#headerFilled);
      this.#headerFilled += part.length;
      offset += part.length;
      if (this.#headerFilled < headerBytes) return undefined;
      this.#headerFilled = 0;
      const error = this.#inspectHeader();
      if (error !== undefined) return error;
    }
    return undefined;
  }

  #inspectHeader(): NetError | undefined {
    const view = new DataView(this.#header.buffer);
    const type = view.getUint8(1);
    const isData = type === frameTypes.data;
    const length = view.getUint32(8);
    if (!this.#frames.take()) return abuse('more frames than it can need');
    if (isData) {
      if (length > streamWindowBytes) return abuse('data frame longer than the window', { length });
      this.#bodyLeft = length;
    } else if (type !== frameTypes.windowUpdate) {
      const isTooMuch = type === frameTypes.ping && !this.#pings.take();
      return isTooMuch ? abuse('more pings than it can need') : undefined;
    } else if (length > streamWindowBytes) {
      return abuse('grants more than the window', { length });
    }
    return this.#account(view.getUint32(4), view.getUint16(2), isData ? length : 0);
  }

  #account(stream: number, frameFlags: number, bytes: number): NetError | undefined {
    if (stream === 0 || stream % 2 !== this.#peerParity) return undefined;
    if ((frameFlags & flags.syn) !== 0) {
      if (stream <= this.#lastOpened) return abuse('stream opened out of order', { stream });
      if (!this.#openings.take()) return abuse('opens streams faster than it may ask');
      this.#lastOpened = stream;
      this.#received.set(stream, 0);
    }
    const received = this.#received.get(stream);
    // After a peer has closed a stream it may still grant window or reset it, but not send.
    if (received === undefined) {
      return bytes === 0 ? undefined : abuse('data on a stream that is not open', { stream });
    }
    if (received + bytes > maxInboundStreamBytes) {
      return abuse('more bytes on a stream than a question has', { bytes: received + bytes });
    }
    if ((frameFlags & (flags.fin | flags.rst)) !== 0) this.#received.delete(stream);
    else this.#received.set(stream, received + bytes);
    return this.#received.size > maxTrackedStreams
      ? abuse('too many streams left open')
      : undefined;
  }
}

function abuse(what: string, metadata: Record<string, number> = {}): NetError {
  return new NetError(NetErrorCode.connectionAbused, `Peer abused its connection: ${what}`, {
    metadata,
  });
}
