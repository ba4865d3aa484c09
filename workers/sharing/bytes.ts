import type { Hex } from 'viem';
import { SharingError, SharingErrorCode } from './errors.ts';

/**
 * The 32 bytes of a digest.
 *
 * @throws SharingError LENGTH_INVALID
 */
export function bytes32(value: Hex): Buffer {
  const bytes = Buffer.from(value.slice(2), 'hex');
  if (bytes.length !== 32) {
    throw new SharingError(SharingErrorCode.LENGTH_INVALID, 'a digest has 32 bytes', {
      metadata: { length: bytes.length },
    });
  }
  return bytes;
}

/** Two bytes, little-endian. */
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
