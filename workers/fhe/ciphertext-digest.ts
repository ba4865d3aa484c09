import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import type { ParameterSet } from '../ring/parameters.ts';
import type { Ciphertext } from './ciphertext.ts';
import { sealContext } from './context.ts';
import { pairParts } from './pair.ts';

// In a file of its own: clients in a browser read and write ciphertexts, and have no `node:crypto`.

/** SHA-256 of the canonical bytes, which are not made for it. */
export function ciphertextDigest(set: ParameterSet, ciphertext: Ciphertext): Hex {
  const hash = createHash('sha256');
  for (const part of pairParts(set, sealContext(set).parmsIds, false, ciphertext))
    hash.update(part);
  return `0x${hash.digest('hex')}`;
}
