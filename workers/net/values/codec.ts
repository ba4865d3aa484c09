import type { Hex } from 'viem';

import type { OpeningShape } from '../../sharing/opening.ts';
import type { Codec } from '../exchange/index.ts';
import { decodePacked, encodePacked, packedBytes, type Residues } from '../packed.ts';
import { decodeIdPair, encodeIdPair } from '../signed.ts';

export interface ValueQuestion {
  readonly epochId: Hex;
  readonly openingId: Hex;
}

export interface ValueShape {
  /** What the opened value looks like. */
  readonly shape: OpeningShape;
}

/**
 *   question = epochId[32] ‖ openingId[32]
 *   answer   = packed residues
 */
export const codec: Codec<ValueQuestion, Residues, ValueShape> = {
  protocol: '/keyloom/values/1',
  questionBytes: 64,

  encodeQuestion({ epochId, openingId }) {
    return encodeIdPair(epochId, openingId);
  },

  decodeQuestion(bytes) {
    const [epochId, openingId] = decodeIdPair(bytes);
    return { epochId, openingId };
  },

  encodeAnswer: encodePacked,

  maxAnswerBytes: ({ shape }) => packedBytes(shape),

  decodeAnswer: (bytes, { shape }) => decodePacked(bytes, shape),
};
