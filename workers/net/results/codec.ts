import type { Hex } from 'viem';

import type { Codec } from '../exchange/index.ts';
import {
  decodeIdPair,
  decodeSigned,
  encodeIdPair,
  encodeSigned,
  signatureBytes,
} from '../signed.ts';

export interface ResultQuestion {
  readonly epochId: Hex;
  /** What the result belongs to: a key id or a request id. */
  readonly resultId: Hex;
}

export interface SignedResult {
  readonly signature: Hex;
  readonly result: Uint8Array;
}

export interface ResultShape {
  /** Length of the result in bytes. */
  readonly resultBytes: number;
}

/**
 *   question = epochId[32] ‖ resultId[32]
 *   answer   = signature[65] ‖ result
 */
export const codec: Codec<ResultQuestion, SignedResult, ResultShape> = {
  protocol: '/keyloom/results/1',
  questionBytes: 64,

  encodeQuestion({ epochId, resultId }) {
    return encodeIdPair(epochId, resultId);
  },

  decodeQuestion(bytes) {
    const [epochId, resultId] = decodeIdPair(bytes);
    return { epochId, resultId };
  },

  encodeAnswer({ signature, result }) {
    return encodeSigned(signature, result);
  },

  maxAnswerBytes: ({ resultBytes }) => signatureBytes + resultBytes,

  decodeAnswer(bytes, { resultBytes }) {
    const { signature, body } = decodeSigned(bytes, resultBytes);
    return { signature, result: body };
  },
};
