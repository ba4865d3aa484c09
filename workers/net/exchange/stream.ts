import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';

import { NetError, NetErrorCode } from '../errors.ts';
import type { Traffic } from '../host/index.ts';
import type { Scope } from '../scope.ts';

/**
 * Gives `sink` every byte that the peer sends, in order, until the peer closes its side.
 *
 * Throws what `sink` throws, the reason for the end of `scope`, or `streamEnded` when the stream is
 * reset. The caller aborts the stream after a throw.
 */
export async function receive(
  stream: Stream,
  sink: (chunk: Uint8Array) => void,
  scope: Scope,
  traffic: Traffic,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let failed = false;
  const fail = (error: unknown) => {
    failed = true;
    reject(error);
  };
  const onMessage = ({ data }: StreamMessageEvent) => {
    if (failed) return;
    try {
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        traffic.receivedBytes += chunk.length;
        sink(chunk);
      }
    } catch (error) {
      fail(error);
    }
  };
  const onEnd = () => resolve();
  const onClose = ({ error }: StreamCloseEvent) => fail(reset(error));
  stream.addEventListener('message', onMessage);
  stream.addEventListener('end', onEnd);
  stream.addEventListener('close', onClose);
  if (stream.readableEnded) resolve();
  else if (stream.status !== 'open' && stream.readBufferLength === 0) fail(reset());
  try {
    await scope.race(promise);
  } finally {
    stream.removeEventListener('message', onMessage);
    stream.removeEventListener('end', onEnd);
    stream.removeEventListener('close', onClose);
  }
}

/**
 * Sends `parts` and closes this side. Resolves when the transport has taken all of it.
 *
 * The peer grants window as it reads, so `scope`'s limit "idle" runs anew at each grant, and no next
 * part is taken before there is room for it. The parts must not change until this resolves. Throws
 * the reason for the end of `scope`, or `streamEnded`.
 */
export async function send(
  stream: Stream,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  scope: Scope,
  traffic: Traffic,
): Promise<void> {
  const onDrain = () => scope.extend('idle');
  stream.addEventListener('drain', onDrain);
  try {
    for await (const part of parts) {
      stream.send(part);
      traffic.sentBytes += part.length;
      if (stream.writeBufferLength > 0) await scope.race(emptied(stream));
    }
    await scope.race(stream.close({ signal: scope.signal }));
  } catch (error) {
    throw scope.signal.aborted ? (scope.signal.reason as NetError) : reset(error);
  } finally {
    stream.removeEventListener('drain', onDrain);
  }
}

/**
 * Resolves when the transport has taken what was sent. The stream's own `onDrain` waits for the first
 * time that it is full only.
 */
async function emptied(stream: Stream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onIdle = () => resolve();
  const onClose = ({ error }: StreamCloseEvent) => reject(reset(error));
  stream.addEventListener('idle', onIdle);
  stream.addEventListener('close', onClose);
  try {
    await promise;
  } finally {
    stream.removeEventListener('idle', onIdle);
    stream.removeEventListener('close', onClose);
  }
}

function reset(cause?: unknown): NetError {
  return new NetError(NetErrorCode.streamEnded, 'The stream was reset', {
    ...(cause === undefined ? {} : { cause }),
  });
}
