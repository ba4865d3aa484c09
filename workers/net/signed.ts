import type { Hex } from 'viem';

import { ByteReader, concatBytes, fixedBytes } from './bytes.ts';
import { NetError, NetErrorCode } from './errors.ts';

/** Bytes of a 65-byte signature r ‖ s ‖ v. */
export const signatureBytes = 65;

/** Two ids of 32 bytes, which is what shares and results are asked by. */
export function encodeIdPair(first: Hex, second: Hex): Uint8Array {
  return concatBytes([fixedBytes(first, 32, 'epochId'), fixedBytes(second, 32, 'id')]);
}

/** Throws `questionMalformed`. */
export function decodeIdPair(bytes: Uint8Array): readonly [Hex, Hex] {
  const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
  const pair = [reader.hex(32), reader.hex(32)] as const;
  reader.end();
  return pair;
}

/** `signature[65] ‖ body`. */
export function encodeSigned(signature: Hex, body: Uint8Array): Uint8Array {
  return concatBytes([fixedBytes(signature, signatureBytes, 'signature'), body]);
}

/**
 * Splits `signature[65] ‖ body`; the body is a copy in a buffer of its own.
 * Throws `answerLengthWrong` unless the body has `bodyBytes` bytes.
 */
export function decodeSigned(
  bytes: Uint8Array,
  bodyBytes: number,
): { signature: Hex; body: Uint8Array<ArrayBuffer> } {
  if (bytes.length !== signatureBytes + bodyBytes) {
    throw new NetError(NetErrorCode.answerLengthWrong, 'Answer of the wrong length', {
      metadata: { expected: signatureBytes + bodyBytes, received: bytes.length },
    });
  }
  const reader = new ByteReader(bytes, NetErrorCode.answerLengthWrong);
  const signature = reader.hex(signatureBytes);
  return { signature, body: Uint8Array.from(bytes.subarray(signatureBytes)) };
}
