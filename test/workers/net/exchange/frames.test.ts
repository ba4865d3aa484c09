import { describe, expect, it } from 'vitest';

import { NetError, NetErrorCode } from '../../../../workers/net/errors.ts';
import {
  answerHeader,
  AnswerReader,
  notYetFrame,
  questionFrame,
  QuestionReader,
  refusalFrame,
  RefusalCode,
} from '../../../../workers/net/exchange/frames.ts';
import { seededBytes } from '../support.ts';

const body = seededBytes('body', 300);
const answer = Uint8Array.from([...answerHeader(body.length), ...body]);

function readAnswer(frame: Uint8Array, maxBytes = 300, size = frame.length || 1): Uint8Array {
  const reader = new AnswerReader(maxBytes);
  for (let offset = 0; offset < frame.length; offset += size) {
    reader.push(frame.subarray(offset, offset + size));
  }
  return reader.end();
}

function readQuestion(frame: Uint8Array, length: number): Uint8Array {
  const reader = new QuestionReader(length);
  for (const byte of frame) reader.push(Uint8Array.of(byte));
  return reader.end();
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
  return 'none';
}

describe('frames', () => {
  it.each([1, 2, 5, 6, 7, 100, 305])('reads an answer that comes %i bytes at a time', (size) => {
    const seen: Uint8Array[] = [];
    const reader = new AnswerReader(300, (chunk) => seen.push(Uint8Array.from(chunk)));
    for (let offset = 0; offset < answer.length; offset += size) {
      reader.push(answer.subarray(offset, offset + size));
    }
    expect(reader.end()).toEqual(body);
    expect(Uint8Array.from(Buffer.concat(seen))).toEqual(body);
  });

  it('reads an empty answer', () => {
    expect(readAnswer(answerHeader(0), 0)).toEqual(new Uint8Array(0));
  });

  it('takes an answer as long as allowed, and none longer', () => {
    expect(readAnswer(answer, 300)).toEqual(body);
    expect(codeOf(() => readAnswer(answer, 299))).toBe(NetErrorCode.answerTooLong);
    expect(codeOf(() => readAnswer(answerHeader(0xffffffff), 300))).toBe(
      NetErrorCode.answerTooLong,
    );
  });

  it('cuts an answer that goes on past its announced length', () => {
    for (const size of [1, 400]) {
      const frame = Uint8Array.from([...answer, 0]);
      expect(codeOf(() => readAnswer(frame, 400, size))).toBe(NetErrorCode.answerOverrun);
    }
  });

  it('never takes part of an answer for the whole', () => {
    for (let length = 0; length < answer.length; length++) {
      expect(codeOf(() => readAnswer(answer.subarray(0, length)))).toBe(NetErrorCode.streamEnded);
    }
  });

  it('tells the reasons why there is no answer', () => {
    const codes = Object.values(RefusalCode).map((code) =>
      codeOf(() => readAnswer(refusalFrame(code))),
    );
    expect(codes).toEqual([
      NetErrorCode.peerBusy,
      NetErrorCode.refused,
      NetErrorCode.refused,
      NetErrorCode.refused,
      NetErrorCode.peerFailed,
    ]);
    expect(codeOf(() => readAnswer(notYetFrame()))).toBe(NetErrorCode.notYet);
  });

  it.each([
    ['an unknown status', [3]],
    ['an unknown status of many bits', [0xff, 0, 0, 0, 0]],
    ['bytes after "not yet"', [2, 0]],
    ['bytes after a refusal', [1, 3, 0]],
    ['an unknown refusal', [1, 6]],
    ['a refusal without reason', [1, 0]],
  ])('refuses %s', (_, bytes) => {
    for (const size of [1, bytes.length]) {
      expect(codeOf(() => readAnswer(Uint8Array.from(bytes), 300, size))).toBe(
        NetErrorCode.frameInvalid,
      );
    }
  });

  it('takes a question of the exact length only', () => {
    const question = seededBytes('question', 40);
    expect(readQuestion(questionFrame(question), 40)).toEqual(question);
    for (const length of [0, 39, 41]) {
      expect(codeOf(() => readQuestion(questionFrame(question), length))).toBe(
        NetErrorCode.questionLengthWrong,
      );
    }
    const frame = questionFrame(question);
    expect(codeOf(() => readQuestion(Uint8Array.from([...frame, 0]), 40))).toBe(
      NetErrorCode.questionLengthWrong,
    );
    for (let length = 0; length < frame.length; length++) {
      expect(codeOf(() => readQuestion(frame.subarray(0, length), 40))).toBe(
        NetErrorCode.streamEnded,
      );
    }
  });

  it('meets random bytes with coded errors', () => {
    for (let round = 0; round < 500; round++) {
      const bytes = seededBytes(`frame ${round}`, round % 90);
      // Half of the rounds begin like an answer, so that they get past the status.
      if (round % 2 === 0 && bytes.length > 5) bytes.set([0, bytes[1], 0, 0, 0]);
      expect(Object.values(NetErrorCode)).toContain(
        codeOf(() => readAnswer(bytes, 64, 1 + (round % 7))).replace('none', NetErrorCode.notYet),
      );
      expect(Object.values(NetErrorCode)).toContain(codeOf(() => readQuestion(bytes, 32)));
    }
  });
});
