import { bytesToHex, hexToBytes, isHex, type Hex } from 'viem';

import { NetError, NetErrorCode } from './errors.ts';

/** Reads a message front to back and fails with one coded error on any departure from its format. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #code: NetErrorCode;
  #offset = 0;

  /** `code` is thrown when the message is too short, too long or holds an impossible value. */
  constructor(bytes: Uint8Array, code: NetErrorCode) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#code = code;
  }

  /** The next `length` bytes, copied. */
  take(length: number): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(this.#advance(length), this.#offset));
  }

  hex(length: number): Hex {
    return bytesToHex(this.#bytes.subarray(this.#advance(length), this.#offset));
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** Fails unless `condition` holds. */
  check(condition: boolean, what: string): void {
    if (!condition) throw new NetError(this.#code, `Malformed message: ${what}`);
  }

  /** Fails if any byte is left. */
  end(): void {
    this.check(this.#offset === this.#bytes.length, 'bytes after its end');
  }

  #advance(length: number): number {
    const start = this.#offset;
    this.check(start + length <= this.#bytes.length, 'too short');
    this.#offset = start + length;
    return start;
  }
}

/** The bytes of a hex string of exactly `length` bytes. Throws `argumentInvalid`. */
export function fixedBytes(value: Hex, length: number, what: string): Uint8Array {
  if (!isHex(value) || value.length !== 2 + 2 * length) {
    throw new NetError(NetErrorCode.argumentInvalid, `${what} is not ${length} bytes of hex`);
  }
  return hexToBytes(value);
}

export function u16Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, true);
  return bytes;
}

export function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
