import { createHash } from 'node:crypto';

/** True with the given probability. */
export type Chance = (probability: number) => boolean;

/** Decisions that follow from a seed, one after the other. */
export function chance(seed: string): Chance {
  let count = 0;
  return (probability) => {
    if (probability === 0) return false;
    const digest = createHash('sha256').update(`${seed}/${count++}`).digest();
    return digest.readUInt32LE(0) / 2 ** 32 < probability;
  };
}
