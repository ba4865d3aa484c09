import type { Hex } from 'viem';

import { ByteReader, concatBytes, fixedBytes, u64Bytes } from '../bytes.ts';
import { NetError, NetErrorCode } from '../errors.ts';
import type { Codec } from '../exchange/index.ts';

export interface ViewQuestion {
  readonly epochId: Hex;
  /** Block number, below 2^64. */
  readonly height: bigint;
}

/** The fields of a `ChainView` that its question does not have, and the signature over all. */
export interface SignedView {
  readonly blockHash: Hex;
  readonly logsDigest: Hex;
  readonly signature: Hex;
}

const answerBytes = 32 + 32 + 65;

/**
 *   question = epochId[32] ‖ u64 height
 *   answer   = blockHash[32] ‖ logsDigest[32] ‖ signature[65]
 */
export const codec: Codec<ViewQuestion, SignedView, unknown> = {
  protocol: '/keyloom/views/1',
  questionBytes: 40,

  encodeQuestion({ epochId, height }) {
    if (height < 0n || height >= 1n << 64n) {
      throw new NetError(NetErrorCode.argumentInvalid, 'height is not a u64');
    }
    return concatBytes([fixedBytes(epochId, 32, 'epochId'), u64Bytes(height)]);
  },

  decodeQuestion(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
    const question = { epochId: reader.hex(32), height: reader.u64() };
    reader.end();
    return question;
  },

  encodeAnswer({ blockHash, logsDigest, signature }) {
    return concatBytes([
      fixedBytes(blockHash, 32, 'blockHash'),
      fixedBytes(logsDigest, 32, 'logsDigest'),
      fixedBytes(signature, 65, 'signature'),
    ]);
  },

  maxAnswerBytes: () => answerBytes,

  decodeAnswer(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.answerLengthWrong);
    const view = {
      blockHash: reader.hex(32),
      logsDigest: reader.hex(32),
      signature: reader.hex(65),
    };
    reader.end();
    return view;
  },
};
