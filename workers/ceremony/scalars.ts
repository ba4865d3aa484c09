/** A public number below the group order as the curve arithmetic takes it: 32 bytes, little-endian. */
export function scalarBytes(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** The number that 32 little-endian bytes stand for; for public ones only. */
export function scalarValue(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
