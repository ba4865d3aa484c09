import { concatBytes, u32Bytes } from '../bytes.ts';
import { NetError, NetErrorCode } from '../errors.ts';

/**
 * The frames of one question and its answer. Both sides close their half of the stream after theirs,
 * and a message is complete only then.
 *
 *   question = u32 length ‖ bytes
 *   answer   = 0 ‖ u32 length ‖ bytes     the answer
 *            | 1 ‖ u8 reason              refused (RefusalCode)
 *            | 2                          not yet: ask again
 */
export const Status = { answered: 0, refused: 1, notYet: 2 } as const;

/** Why a question is not answered. */
export const RefusalCode = {
  /** Too many questions are open; ask again later. */
  busy: 1,
  /** The question is not one of this protocol. */
  malformed: 2,
  /** What was asked for does not exist here and is not expected to. */
  unknown: 3,
  /** The asker has no right to the answer. */
  forbidden: 4,
  /** The answering side failed; ask again later. */
  failed: 5,
} as const;
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode];

/** What a provider returns instead of an answer. */
export class Refusal {
  readonly code: RefusalCode;

  constructor(code: RefusalCode) {
    this.code = code;
  }
}

export function questionFrame(question: Uint8Array): Uint8Array {
  return concatBytes([u32Bytes(question.length), question]);
}

/** The header of an answer of `length` bytes, which follow it. */
export function answerHeader(length: number): Uint8Array {
  return concatBytes([Uint8Array.of(Status.answered), u32Bytes(length)]);
}

export function refusalFrame(code: RefusalCode): Uint8Array {
  return Uint8Array.of(Status.refused, code);
}

export function notYetFrame(): Uint8Array {
  return Uint8Array.of(Status.notYet);
}

/** Gathers a question of exactly `length` bytes. Holds no more than that. */
export class QuestionReader {
  readonly #frame: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.#frame = new Uint8Array(4 + length);
  }

  /** Throws `questionLengthWrong`. */
  push(chunk: Uint8Array): void {
    if (this.#filled + chunk.length > this.#frame.length) throw this.#wrongLength();
    this.#frame.set(chunk, this.#filled);
    this.#filled += chunk.length;
    if (this.#filled >= 4 && this.#announced() !== this.#frame.length - 4) {
      throw this.#wrongLength();
    }
  }

  /** The question, once the asker has closed its side. Throws `streamEnded`. */
  end(): Uint8Array {
    if (this.#filled < this.#frame.length) throw endedEarly(this.#filled);
    return this.#frame.subarray(4);
  }

  #announced(): number {
    return new DataView(this.#frame.buffer).getUint32(0, true);
  }

  #wrongLength(): NetError {
    return new NetError(NetErrorCode.questionLengthWrong, 'Question of the wrong length', {
      metadata: { expected: this.#frame.length - 4, received: this.#filled },
    });
  }
}

/** Gathers an answer of at most `maxBytes` bytes. Allocates once its length is known to fit. */
export class AnswerReader {
  readonly #maxBytes: number;
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined;
  readonly #header = new Uint8Array(5);
  #headerFilled = 0;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;

  /** `onChunk` sees the bytes of the answer as they arrive, before it is known to be complete. */
  constructor(maxBytes: number, onChunk?: (chunk: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#onChunk = onChunk;
  }

  /** Throws `frameInvalid`, `answerTooLong` or `answerOverrun`. */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length && this.#body === undefined) {
      this.#pushHeader(chunk[offset]);
      offset += 1;
    }
    if (offset < chunk.length) this.#pushBody(chunk.subarray(offset));
  }

  /**
   * The answer, once the peer has closed its side.
   *
   * Throws `streamEnded` when it is not all there, `notYet`, `peerBusy`, `peerFailed` or `refused`.
   */
  end(): Uint8Array {
    const [status, reason] = this.#header;
    if (this.#body !== undefined && this.#bodyFilled === this.#body.length) return this.#body;
    if (this.#headerFilled === 1 && status === Status.notYet) {
      throw new NetError(NetErrorCode.notYet, 'The peer has no answer yet');
    }
    if (this.#headerFilled === 2 && status === Status.refused) throw refused(reason);
    throw endedEarly(this.#headerFilled + this.#bodyFilled);
  }

  #pushHeader(byte: number): void {
    const status = this.#headerFilled === 0 ? byte : this.#header[0];
    const length = headerLengths.get(status);
    if (length === undefined || this.#headerFilled === length) {
      throw new NetError(NetErrorCode.frameInvalid, 'Not a frame of an answer', {
        metadata: { status },
      });
    }
    this.#header[this.#headerFilled] = byte;
    this.#headerFilled += 1;
    if (status !== Status.answered || this.#headerFilled < length) return;
    const announced = new DataView(this.#header.buffer).getUint32(1, true);
    if (announced > this.#maxBytes) {
      throw new NetError(NetErrorCode.answerTooLong, 'The announced answer is too long', {
        metadata: { announced, maxBytes: this.#maxBytes },
      });
    }
    this.#body = new Uint8Array(announced);
  }

  #pushBody(chunk: Uint8Array): void {
    const body = this.#body!;
    if (this.#bodyFilled + chunk.length > body.length) {
      throw new NetError(NetErrorCode.answerOverrun, 'More bytes than the peer announced', {
        metadata: { announced: body.length },
      });
    }
    body.set(chunk, this.#bodyFilled);
    this.#bodyFilled += chunk.length;
    this.#onChunk?.(chunk);
  }
}

const headerLengths: ReadonlyMap<number, number> = new Map([
  [Status.answered, 5],
  [Status.refused, 2],
  [Status.notYet, 1],
]);

function refused(reason: number): NetError {
  switch (reason) {
    case RefusalCode.busy:
      return new NetError(NetErrorCode.peerBusy, 'The peer has too many questions open');
    case RefusalCode.failed:
      return new NetError(NetErrorCode.peerFailed, 'The peer failed to make the answer');
    case RefusalCode.malformed:
    case RefusalCode.unknown:
    case RefusalCode.forbidden:
      return new NetError(NetErrorCode.refused, 'The peer refused', {
        metadata: { refusal: reason },
      });
    default:
      return new NetError(NetErrorCode.frameInvalid, 'Not a reason to refuse', {
        metadata: { refusal: reason },
      });
  }
}

/** The stream ended where an honest peer may have stopped, so it says nothing about the peer. */
function endedEarly(received: number): NetError {
  return new NetError(NetErrorCode.streamEnded, 'The stream ended before the message did', {
    metadata: { received },
  });
}
