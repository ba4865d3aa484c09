import { zeroHash, type Hex } from 'viem';

import type { SignedRoot } from '../../protocols/evidence.ts';
import { ByteReader, concatBytes, fixedBytes } from '../bytes.ts';
import { NetError, NetErrorCode } from '../errors.ts';
import type { Codec } from '../exchange/index.ts';
import { commitmentsRate, openingsPerQuestion } from '../limits.ts';
import { signatureBytes } from '../signed.ts';

export interface CommitmentQuestion {
  readonly epochId: Hex;
  /** Different openings, at least one and at most `openingsPerQuestion`. */
  readonly openingIds: readonly Hex[];
}

/** What the operator of a committee index signed for its share of an opening. */
export interface RootOfOperator extends SignedRoot {
  readonly index: number;
}

/** By opening, in the question's order: what is held, ascending by index. */
export type Commitments = readonly (readonly RootOfOperator[])[];

export interface CommitmentShape {
  /** Number of openings that are asked about. */
  readonly openings: number;
}

const largestCommittee = 13;
const rootBytes = 1 + 32 + signatureBytes;

/**
 *   question = epochId[32] ‖ openingId[32] × 32, zeros after the last one
 *   answer   = per opening: u8 count ‖ (u8 index ‖ root[32] ‖ signature[65]) × count
 */
export const codec: Codec<CommitmentQuestion, Commitments, CommitmentShape> = {
  protocol: '/keyloom/commitments/1',
  questionBytes: 32 + 32 * openingsPerQuestion,
  rate: commitmentsRate,

  encodeQuestion({ epochId, openingIds }) {
    const { length } = openingIds;
    if (length === 0 || length > openingsPerQuestion) {
      throw new NetError(NetErrorCode.argumentInvalid, 'A question is about 1 to 32 openings');
    }
    const padding = Array.from({ length: openingsPerQuestion - length }, () => zeroHash);
    const ids = [...openingIds, ...padding].map((id) => fixedBytes(id, 32, 'openingId'));
    return concatBytes([fixedBytes(epochId, 32, 'epochId'), ...ids]);
  },

  decodeQuestion(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
    const epochId = reader.hex(32);
    const ids = Array.from({ length: openingsPerQuestion }, () => reader.hex(32));
    reader.end();
    const end = ids.findIndex((id) => id === zeroHash);
    const openingIds = end < 0 ? ids : ids.slice(0, end);
    reader.check(openingIds.length > 0, 'no opening');
    reader.check(
      ids.slice(openingIds.length).every((id) => id === zeroHash),
      'an opening after the last one',
    );
    reader.check(new Set(openingIds).size === openingIds.length, 'an opening twice');
    return { epochId, openingIds };
  },

  encodeAnswer(commitments) {
    return concatBytes(
      commitments.flatMap((roots) => [
        Uint8Array.of(roots.length),
        ...roots.flatMap(({ index, root, signature }) => [
          Uint8Array.of(index),
          fixedBytes(root, 32, 'root'),
          fixedBytes(signature, signatureBytes, 'signature'),
        ]),
      ]),
    );
  },

  maxAnswerBytes: ({ openings }) => openings * (1 + largestCommittee * rootBytes),

  decodeAnswer(bytes, { openings }) {
    const reader = new ByteReader(bytes, NetErrorCode.answerMalformed);
    const commitments = Array.from({ length: openings }, () => {
      const count = reader.u8();
      let previous = 0;
      return Array.from({ length: count }, () => {
        const index = reader.u8();
        reader.check(index > previous && index <= largestCommittee, 'an index out of order');
        previous = index;
        return { index, root: reader.hex(32), signature: reader.hex(signatureBytes) };
      });
    });
    reader.end();
    return commitments;
  },
};
