import type { Hex } from 'viem';

import type { OpeningShape } from '../../sharing/opening.ts';
import { ByteReader, concatBytes, fixedBytes } from '../bytes.ts';
import { NetErrorCode } from '../errors.ts';
import type { Codec } from '../exchange/index.ts';
import { decodePacked, encodePacked, packedBytes, type Residues } from '../packed.ts';

export interface CombinationQuestion {
  readonly epochId: Hex;
  readonly openingId: Hex;
  /** SHA-256 of the published value: what the coefficients follow from. */
  readonly valueDigest: Hex;
}

export interface CombinationShape {
  /** What combinations look like in this opening. */
  readonly shape: OpeningShape;
}

/**
 *   question = epochId[32] ‖ openingId[32] ‖ valueDigest[32]
 *   answer   = packed residues
 */
export const codec: Codec<CombinationQuestion, Residues, CombinationShape> = {
  protocol: '/keyloom/combinations/1',
  questionBytes: 96,

  encodeQuestion({ epochId, openingId, valueDigest }) {
    return concatBytes([
      fixedBytes(epochId, 32, 'epochId'),
      fixedBytes(openingId, 32, 'openingId'),
      fixedBytes(valueDigest, 32, 'valueDigest'),
    ]);
  },

  decodeQuestion(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
    const question = {
      epochId: reader.hex(32),
      openingId: reader.hex(32),
      valueDigest: reader.hex(32),
    };
    reader.end();
    return question;
  },

  encodeAnswer: encodePacked,

  maxAnswerBytes: ({ shape }) => packedBytes(shape),

  decodeAnswer: (bytes, { shape }) => decodePacked(bytes, shape),
};
