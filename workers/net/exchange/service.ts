import type { Host, Rate } from '../host/index.ts';
import { answer } from './answer.ts';
import { ask, untilAnswered } from './ask.ts';
import { Refusal } from './frames.ts';

/**
 * One protocol: what is asked, what is answered, and their bytes.
 *
 * `Shape` is what the asker knows beforehand about the length of the answer.
 */
export interface Codec<Question, Answer, Shape> {
  readonly protocol: string;
  readonly questionBytes: number;
  /** How often a peer may ask, where the host's limits are not for this protocol. */
  readonly rate?: Rate;
  /** Throws `argumentInvalid`. */
  encodeQuestion(question: Question): Uint8Array;
  /** Throws `questionMalformed`. */
  decodeQuestion(bytes: Uint8Array): Question;
  /** Throws `argumentInvalid`. */
  encodeAnswer(answer: Answer): Uint8Array;
  maxAnswerBytes(shape: Shape): number;
  /** Throws `answerMalformed` or `answerLengthWrong`. */
  decodeAnswer(bytes: Uint8Array, shape: Shape): Answer;
}

/** Finds the answer for an authenticated peer; see `Answerer`. */
export type Provider<Question, Answer> = (
  peerId: string,
  question: Question,
  signal: AbortSignal,
) => Promise<Answer | Refusal>;

/** What an asker says beside its question. */
export interface ServiceOptions {
  readonly signal: AbortSignal;
  /** Told how much of an answer has arrived, at each piece, before it is known to be complete. */
  readonly onProgress?: (receivedBytes: number) => void;
}

export interface Service<Question, Answer, Shape> {
  /** Answers this protocol's questions with what `provider` finds. */
  readonly register: (host: Host, provider: Provider<Question, Answer>) => Promise<void>;
  /** Asks once; throws a NetError with a verdict on the peer. */
  readonly ask: (
    host: Host,
    peerId: string,
    question: Question,
    options: ServiceOptions & Shape,
  ) => Promise<Answer>;
  /** Asks until the peer answers, refuses or breaks the protocol, or `signal` aborts. */
  readonly askUntilAnswered: (
    host: Host,
    peerId: string,
    question: Question,
    options: ServiceOptions & Shape,
  ) => Promise<Answer>;
}

/** The two sides of a protocol whose answers can be checked from their bytes alone. */
export function createService<Question, Answer, Shape>(
  codec: Codec<Question, Answer, Shape>,
): Service<Question, Answer, Shape> {
  const askOnce: Service<Question, Answer, Shape>['ask'] = async (
    host,
    peerId,
    question,
    options,
  ) => {
    const { signal, onProgress } = options;
    let received = 0;
    const body = await ask(host, peerId, codec.protocol, codec.encodeQuestion(question), {
      signal,
      maxBytes: codec.maxAnswerBytes(options),
      ...(onProgress && { onChunk: ({ length }) => onProgress((received += length)) }),
    });
    return codec.decodeAnswer(body, options);
  };
  return {
    register: (host, provider) =>
      answer(
        host,
        codec.protocol,
        codec.questionBytes,
        async (peerId, bytes, signal) => {
          const found = await provider(peerId, codec.decodeQuestion(bytes), signal);
          return found instanceof Refusal ? found : codec.encodeAnswer(found);
        },
        codec.rate,
      ),
    ask: askOnce,
    askUntilAnswered: (host, peerId, question, options) =>
      untilAnswered(host, peerId, options.signal, () => askOnce(host, peerId, question, options)),
  };
}
