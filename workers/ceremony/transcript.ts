import Blake2b from 'blake2b-wasm';
import { createHash, type Hash } from 'node:crypto';
import { compress, g1Generator, g2Generator, pointBytes, toEvm } from '../curve/points.ts';
import type { PowersFile } from './file.ts';
import { pointCount, pointSections } from './layout.ts';
import type { PlainPoints } from './points.ts';
import { challengeBytes } from './records.ts';
import { SeededStream } from './stream.ts';

// The hashes that chain contributions in snarkjs' format: a challenge stands for a file, a response for
// the file that answers it and for the key of who answered. See docs/ceremony.md, Records.

/** Points that are converted or hashed at a time. */
const chunkPoints = 4096;

/** Of the state of a Blake2b hash: bytes of the block, which comes first, and where its fill is. */
const blockBytes = 128;
const filledOffset = 200;

/** The secrets of a contribution, in snarkjs' order: a name's place personalises its hash. */
export const secretNames = ['tau', 'alpha', 'beta'] as const;
export type SecretName = (typeof secretNames)[number];

/** The challenge that the file without contributions stands for. */
export function firstChallenge(power: number): Uint8Array {
  const hasher = blake2b().update(blake2b().digest());
  for (const { name, group } of pointSections) {
    const generator = group === 'g1' ? toEvm('g1', g1Generator) : toEvm('g2', g2Generator);
    const chunk = Buffer.alloc(chunkPoints * pointBytes[group], generator);
    for (let left = pointCount(name, power); left > 0; left -= chunkPoints) {
      hasher.update(chunk.subarray(0, Math.min(left, chunkPoints) * pointBytes[group]));
    }
  }
  return new Uint8Array(hasher.digest());
}

/** A file's answer to a challenge. */
export interface Response {
  /** The state of the hash before the key. */
  readonly partialHash: Uint8Array;
  readonly digest: Uint8Array;
}

/**
 * Hash over the challenge, all points of the file in compressed form, and the key.
 *
 * Of the libraries only this one gives away the state of an unfinished hash. The bytes of the block
 * that are not filled at that point are zeros here, and anything in other implementations.
 *
 * @param key the nine points of the public key, in the order of the record
 */
export async function respond(
  challenge: Uint8Array,
  file: PowersFile,
  key: readonly Uint8Array[],
): Promise<Response> {
  await Blake2b.ready();
  const hasher = new Blake2b(challengeBytes).update(challenge);
  for (const { name, group } of pointSections) {
    const section = file[name];
    const chunk = chunkPoints * pointBytes[group];
    for (let at = 0; at < section.length; at += chunk) {
      hasher.update(compress(group, section.subarray(at, at + chunk)));
    }
  }
  const partialHash = withoutRest(hasher.getPartialHash());
  for (const point of key) hasher.update(plainPoint(point));
  return { partialHash, digest: hasher.digest() };
}

/** True if two states of a hash go on alike: what is beyond the filled part of the block is not read. */
export function samePartialHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(withoutRest(a), withoutRest(b)) === 0;
}

/** The challenge that a file stands for once it has answered the one before. */
export function nextChallenge(response: Uint8Array, points: PlainPoints): Uint8Array {
  const hasher = blake2b().update(response);
  for (const { name } of pointSections) hasher.update(points[name]);
  return new Uint8Array(hasher.digest());
}

/**
 * S' of a public key: the point of G2 that nobody can choose, hashed from the challenge, S and x·S.
 *
 * @param s and sx points of G1 as in a file
 * @returns a point of G2 as in a file
 */
export function keyPoint(
  name: SecretName,
  challenge: Uint8Array,
  s: Uint8Array,
  sx: Uint8Array,
): Uint8Array {
  const seed = blake2b()
    .update(Buffer.of(secretNames.indexOf(name)))
    .update(challenge)
    .update(plainPoint(s))
    .update(plainPoint(sx))
    .digest();
  return new SeededStream(seed).g2();
}

/** A copy with zeros for the part of the block that is not filled. */
function withoutRest(partialHash: Uint8Array): Uint8Array {
  const copy = new Uint8Array(partialHash);
  const filled = new DataView(copy.buffer).getUint32(filledOffset, true);
  return copy.fill(0, Math.min(filled, blockBytes), blockBytes);
}

function plainPoint(point: Uint8Array): Uint8Array {
  return toEvm(point.length === pointBytes.g1 ? 'g1' : 'g2', point);
}

function blake2b(): Hash {
  return createHash('blake2b512');
}
