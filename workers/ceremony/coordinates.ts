import { coordinateBytes } from './layout.ts';

/** p, the prime of the base field, little-endian. */
export const fieldPrime = Buffer.from(
  '47fd7cd8168c203c8dca7168916a81975d588181b64550b829a031e1724e6430',
  'hex',
);

/**
 * Number of the first coordinate that is not below the prime, or undefined if all are.
 *
 * @param coordinates little-endian, 32 bytes each
 */
export function firstLargeCoordinate(coordinates: Uint8Array): number | undefined {
  const last = coordinateBytes - 1;
  for (let at = 0; at < coordinates.length; at += coordinateBytes) {
    if (coordinates[at + last] < fieldPrime[last]) continue;
    if (!isBelowPrime(coordinates, at)) return at / coordinateBytes;
  }
  return undefined;
}

function isBelowPrime(coordinates: Uint8Array, at: number): boolean {
  for (let byte = coordinateBytes - 1; byte >= 0; byte--) {
    const difference = coordinates[at + byte] - fieldPrime[byte];
    if (difference !== 0) return difference < 0;
  }
  return false;
}
