import type { Hex } from 'viem';
import { StoreError, StoreErrorCode } from './errors.ts';

/**
 * Lower-case form of a 32-byte hex string, so that one value has one name in the store.
 *
 * @throws StoreError INVALID_ARGUMENT if it is anything else, a path among them
 */
export function canonicalHex32(value: string, what: string): Hex {
  if (!/^0x[0-9a-fA-F]{64}$/.test(value)) {
    throw new StoreError(StoreErrorCode.INVALID_ARGUMENT, `${what} must be 32 bytes in hex.`);
  }
  return value.toLowerCase() as Hex;
}
