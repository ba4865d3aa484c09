import type { Hex } from 'viem';

import type { Codec } from '../exchange/index.ts';
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

export interface SignedShare {
  /** Over the `ShareCommitment` of the residues. */
  readonly signature: Hex;
  /** As received: whether each is below its prime is for the opening to check. */
  readonly residues: BigUint64Array<ArrayBuffer>;
}

export interface ShareShape {
  /** Number of residues that a share in this opening has. */
  readonly residues: number;
}

/**
 *   question = epochId[32] ‖ openingId[32]
 *   answer   = signature[65] ‖ u64 per residue
 */
export const codec: Codec<ShareQuestion, SignedShare, ShareShape> = {
  protocol: '/keyloom/shares/1',
  questionBytes: 64,

  encodeQuestion({ epochId, openingId }) {
    return encodeIdPair(epochId, openingId);
  },

  decodeQuestion(bytes) {
    const [epochId, openingId] = decodeIdPair(bytes);
    return { epochId, openingId };
  },

  encodeAnswer({ signature, residues }) {
    const { buffer, byteOffset, byteLength } = residues;
    return encodeSigned(signature, new Uint8Array(buffer, byteOffset, byteLength));
  },

  maxAnswerBytes: ({ residues }) => signatureBytes + 8 * residues,

  decodeAnswer(bytes, { residues }) {
    const { signature, body } = decodeSigned(bytes, 8 * residues);
    return { signature, residues: new BigUint64Array(body.buffer) };
  },
};
