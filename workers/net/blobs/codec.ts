import type { Hex } from 'viem';

import { ByteReader, fixedBytes } from '../bytes.ts';
import { NetErrorCode } from '../errors.ts';

export const protocol = '/keyloom/blobs/1';
export const questionBytes = 32;

/** question = sha256[32]; answer = the bytes. */
export function encodeQuestion(digest: Hex): Uint8Array {
  return fixedBytes(digest, questionBytes, 'digest');
}

/** Throws `questionMalformed`. */
export function decodeQuestion(bytes: Uint8Array): Hex {
  const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
  const digest = reader.hex(questionBytes);
  reader.end();
  return digest;
}
