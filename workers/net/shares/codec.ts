import type { Hex } from 'viem';

import type { OpeningShape } from '../../sharing/opening.ts';
import type { Codec } from '../exchange/index.ts';
import { decodePacked, encodePacked, packedBytes, type Residues } from '../packed.ts';
import {
  decodeIdPair,
  decodeSigned,
  encodeIdPair,
  encodeSigned,
  signatureBytes,
} from '../signed.ts';

export interface ShareQuestion {
  readonly epochId: Hex;
  readonly openingId: Hex;
}

export interface SignedShare extends Residues {
  /** Over the `ShareCommitment` of the residues. */
  readonly signature: Hex;
}

export interface ShareShape {
  /** What a share in this opening looks like. */
  readonly shape: OpeningShape;
}

/**
 *   question = epochId[32] ‖ openingId[32]
 *   answer   = signature[65] ‖ packed residues
 */
export const codec: Codec<ShareQuestion, SignedShare, ShareShape> = {
  protocol: '/keyloom/shares/2',
  questionBytes: 64,

  encodeQuestion({ epochId, openingId }) {
    return encodeIdPair(epochId, openingId);
  },

  decodeQuestion(bytes) {
    const [epochId, openingId] = decodeIdPair(bytes);
    return { epochId, openingId };
  },

  encodeAnswer({ signature, ...residues }) {
    return encodeSigned(signature, encodePacked(residues));
  },

  maxAnswerBytes: ({ shape }) => signatureBytes + packedBytes(shape),

  decodeAnswer(bytes, { shape }) {
    const { signature, body } = decodeSigned(bytes, packedBytes(shape));
    return { signature, ...decodePacked(body, shape) };
  },
};
