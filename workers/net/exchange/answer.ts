import type { Stream } from '@libp2p/interface';

import { isNetError, NetError, NetErrorCode } from '../errors.ts';
import type { Host, Rate } from '../host/index.ts';
import { transferTimeoutMs } from '../limits.ts';
import { Scope } from '../scope.ts';
import {
  answerHeader,
  notYetFrame,
  QuestionReader,
  Refusal,
  RefusalCode,
  refusalFrame,
} from './frames.ts';
import { receive, send } from './stream.ts';

/**
 * Answers a question of an authenticated peer. May take as long as `signal` lets it: the signal
 * aborts when the asker withdraws, its connection is lost, or the question has been held for as long
 * as one is. The returned bytes must not change afterwards.
 */
export type Answerer = (
  peerId: string,
  question: Uint8Array,
  signal: AbortSignal,
) => Promise<Uint8Array | LongAnswer | Refusal>;

/** An answer that is not held in memory: its pieces are taken as the asker reads. */
export interface LongAnswer {
  readonly length: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Answers the questions of a protocol, which all have `questionBytes` bytes. Whoever asks more than it may is
 * told "busy".
 *
 * Faults of askers and failures of `answerer` are reported to the host's `onFault`.
 *
 * @param rate how often a peer may ask, where the host's limits are not for this protocol
 */
export async function answer(
  host: Host,
  protocol: string,
  questionBytes: number,
  answerer: Answerer,
  rate?: Rate,
): Promise<void> {
  await host.handle(protocol, async (peerId, stream) => {
    const scope = new Scope(host.signal);
    try {
      scope.limit('question', host.limits.questionTimeoutMs);
      const reader = new QuestionReader(questionBytes);
      await receive(stream, (chunk) => reader.push(chunk), scope, host.traffic);
      const question = reader.end();
      scope.lift('question');
      const leave = host.admission.enter(peerId, protocol, rate);
      try {
        await serve(host, peerId, stream, leave && question, answerer, scope);
      } finally {
        leave?.();
      }
    } catch (error) {
      if (isNetError(error) && error.verdict === 'accuse') host.fault(peerId, error);
      stream.abort(error as Error);
    } finally {
      scope.dispose();
    }
  });
}

/** Everything that is sent in answer to a question. */
interface Answer {
  readonly length: number;
  /** How much of it is in memory until it is sent. */
  readonly heldBytes: number;
  readonly parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

function short(...parts: readonly Uint8Array[]): Answer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return { length, heldBytes: length, parts };
}

/** What is said instead of an answer. */
function without(frame: Uint8Array): Answer {
  return { length: frame.length, heldBytes: 0, parts: [frame] };
}

function long(header: Uint8Array, { length, chunks }: LongAnswer): Answer {
  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    yield header;
    yield* chunks;
  }
  return { length: header.length + length, heldBytes: 0, parts: parts() };
}

const busy = (): Answer => without(refusalFrame(RefusalCode.busy));

/** Answers a question, or says that this peer has more than enough where there is none. */
async function serve(
  host: Host,
  peerId: string,
  stream: Stream,
  question: Uint8Array | undefined,
  answerer: Answerer,
  scope: Scope,
): Promise<void> {
  const found =
    question === undefined
      ? busy()
      : await answerParts(host, peerId, stream, question, answerer, scope);
  const release = host.admission.hold(peerId, found.heldBytes);
  try {
    const { length, parts } = release === undefined ? busy() : found;
    scope.limit('idle', host.limits.idleTimeoutMs);
    scope.limit('transfer', transferTimeoutMs(host.limits, length));
    await send(stream, parts, scope, host.traffic);
  } finally {
    release?.();
  }
}

async function answerParts(
  host: Host,
  peerId: string,
  stream: Stream,
  question: Uint8Array,
  answerer: Answerer,
  scope: Scope,
): Promise<Answer> {
  const hold = new Scope(scope.signal);
  hold.limit(
    'hold',
    host.limits.holdMs,
    () => new NetError(NetErrorCode.notYet, 'Held for as long as a question is'),
  );
  // The stream closes before it is answered only if the asker withdraws or is lost.
  const onClose = () => scope.end(new NetError(NetErrorCode.aborted, 'The asker withdrew'));
  stream.addEventListener('close', onClose);
  if (stream.status !== 'open') onClose();
  try {
    scope.signal.throwIfAborted();
    const body = await hold.race(answerer(peerId, question, hold.signal));
    if (body instanceof Refusal) return without(refusalFrame(body.code));
    const header = answerHeader(body.length);
    return body instanceof Uint8Array ? short(header, body) : long(header, body);
  } catch (error) {
    scope.signal.throwIfAborted();
    if (hold.signal.aborted) return without(notYetFrame());
    if (isNetError(error, NetErrorCode.questionMalformed)) {
      host.fault(peerId, error);
      return without(refusalFrame(RefusalCode.malformed));
    }
    host.fault(
      peerId,
      new NetError(NetErrorCode.providerFailed, 'The provider failed', { cause: error }),
    );
    return without(refusalFrame(RefusalCode.failed));
  } finally {
    stream.removeEventListener('close', onClose);
    hold.dispose();
  }
}
