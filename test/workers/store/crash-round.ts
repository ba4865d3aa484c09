import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import type { OpeningPreimage } from '../../../workers/sharing/ids.ts';

const digest = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`;

/** What an opening of this content is the hash of. */
export const preimageOf = (itemPrefix: Hex): OpeningPreimage => ({
  ...{ itemPrefix, generations: digest('generations'), parameterSetId: digest('set') },
  ...{ step: 1, digit: 2, galoisElement: 3, limbs: 4, width: 5, polynomials: 2 },
  positionsDigest: digest('positions'),
});

/** What round i of the crash test writes. */
export function round(i: number) {
  const hash = digest(`block ${i}`);
  const blob = Uint8Array.from(Buffer.from(`blob ${i} `.repeat(1000)));
  const sha256Of: Hex = `0x${createHash('sha256').update(blob).digest('hex')}`;
  return {
    id: digest(`opening ${i}`),
    root: digest(`root ${i}`),
    name: `secret/${i}`,
    secret: Uint8Array.from(Buffer.from(`value ${i}`)),
    block: { height: BigInt(i + 1), hash, logsDigest: digest(`logs ${i}`), logs: [] },
    attempt: { hash: digest(`transaction ${i}`), raw: hash },
    opening: {
      openingId: digest(`opening ${i}`),
      epochId: digest('epoch'),
      preimage: preimageOf(digest(`content ${i}`)),
    },
    share: {
      epochId: digest('epoch'),
      root: digest(`root ${i}`),
      signature: `0x${'5a'.repeat(65)}` as const,
      shape: { primes: [2053n], width: 200, polynomials: 1 },
      residues: BigUint64Array.from({ length: 200 }, (_, at) => BigInt(at)),
    },
    blob,
    digest: sha256Of,
  };
}
