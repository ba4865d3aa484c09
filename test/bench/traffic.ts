import { codec as combinationCodec } from '../../workers/net/combinations/codec.ts';
import { answerHeader, questionFrame } from '../../workers/net/exchange/frames.ts';
import { codec as shareCodec } from '../../workers/net/shares/codec.ts';
import { codec as valueCodec } from '../../workers/net/values/codec.ts';
import { combinationShape } from '../../workers/sharing/combinations.ts';
import type { OpeningShape } from '../../workers/sharing/opening.ts';

// What operators send each other for an opening when all of them are honest and none is away: frames of
// questions and answers, as docs/network.md has them, without what Noise, yamux and TCP put around them.

/** Bytes of one operator's answer, and of the question that it answers. */
interface Exchange {
  readonly question: number;
  readonly answer: number;
}

const frames = (questionBytes: number, answerBytes: number): Exchange => ({
  question: questionFrame(new Uint8Array(questionBytes)).length,
  answer: answerHeader(answerBytes).length + answerBytes,
});

/** Everybody asks everybody for a share. @returns bytes that each operator sends */
export function bytesAllToAll(n: number, shape: OpeningShape): number {
  const share = frames(shareCodec.questionBytes, shareCodec.maxAnswerBytes({ shape }));
  return (n - 1) * (share.question + share.answer);
}

/**
 * One operator collects the shares, the others ask it for the value, and each asks all others for
 * combinations of their shares.
 *
 * @returns bytes that an operator sends on average: who opens rotates
 */
export function bytesThroughOpener(n: number, shape: OpeningShape): number {
  const share = frames(shareCodec.questionBytes, shareCodec.maxAnswerBytes({ shape }));
  const value = frames(valueCodec.questionBytes, valueCodec.maxAnswerBytes({ shape }));
  const combination = frames(
    combinationCodec.questionBytes,
    combinationCodec.maxAnswerBytes({ shape: combinationShape(shape) }),
  );
  const sent = ({ question, answer }: Exchange): number => question + answer;
  const all = (n - 1) * (sent(share) + sent(value)) + (n - 1) ** 2 * sent(combination);
  return all / n;
}
