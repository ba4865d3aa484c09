import { keccak256, toHex, type Hex } from 'viem';

import type { Deployment } from '../../../workers/chain/client.ts';
import { signStatement } from '../../../workers/chain/typed-data.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { commitShare, shareChunk, shareChunkPath } from '../../../workers/sharing/commitment.ts';
import {
  openingId,
  openingPreimage,
  parameterSetId,
  type OpeningPreimage,
} from '../../../workers/sharing/ids.ts';
import { littleEndian } from '../../workers/sharing/reference.ts';
import { operatorAccount } from './gateway.ts';

/** A share as BigUint64Array of its own buffer. */
export type Share = BigUint64Array<ArrayBuffer>;

/** An opening of an epoch, in the words of the contract and in those of the workers. */
export interface TestOpening {
  readonly preimage: OpeningPreimage;
  readonly id: Hex;
  readonly primes: readonly bigint[];
}

/** An opening of the first `limbs` primes of a set; its id is computed by workers/sharing. */
export function openingOf(
  set: ParameterSet,
  setupDigest: Hex,
  shape: { limbs: number; width: number; polynomials: number; name?: string },
): TestOpening {
  const { limbs, width, polynomials, name = 'item' } = shape;
  const itemPrefix = keccak256(toHex(name));
  const preimage = openingPreimage({
    ...{ itemPrefix, generations: [], parameterSetId: parameterSetId(set), step: 1 },
    ...{ limbs, width, polynomials },
  });
  return {
    preimage,
    id: openingId(setupDigest, preimage),
    primes: set.primes.slice(0, limbs),
  };
}

/** Modulus of a residue of the opening's shares. */
export function primeAt({ primes, preimage }: TestOpening, position: number): bigint {
  return primes[Math.floor(position / preimage.width) % primes.length];
}

/** Shares of a random polynomial of degree t per residue, by operator index. */
export function deal(
  opening: TestOpening,
  n: number,
  bytes: (length: number) => Uint8Array,
): Map<number, Share> {
  const { limbs, width, polynomials } = opening.preimage;
  const length = limbs * width * polynomials;
  const t = (n - 1) / 3;
  const random = bytes(8 * (t + 1) * length);
  const shares = Array.from({ length: n }, () => new BigUint64Array(length));
  for (let position = 0; position < length; position++) {
    const prime = primeAt(opening, position);
    const coefficients = Array.from({ length: t + 1 }, (_, k) => {
      const from = 8 * (position * (t + 1) + k);
      return littleEndian(random.subarray(from, from + 8)) % prime;
    });
    shares.forEach((share, i) => {
      const x = BigInt(i + 1);
      share[position] = coefficients.reduceRight((sum, c) => (sum * x + c) % prime, 0n);
    });
  }
  return new Map(shares.map((share, i) => [i + 1, share]));
}

/** Signs a root as operator number `index`. */
export function signRoot(
  deployment: Deployment,
  epochId: Hex,
  id: Hex,
  index: number,
  root: Hex,
): Promise<Hex> {
  return signStatement(operatorAccount(index), deployment, {
    type: 'ShareCommitment',
    message: { epochId, openingId: id, root },
  });
}

/** A share as evidence: what ISlashingManager calls ShareProof. */
export function shareProof(share: Share, index: number, signature: Hex, position: number) {
  const chunk = Math.floor(position / 64);
  return {
    index,
    signature,
    chunk: toHex(shareChunk(share, chunk)),
    path: shareChunkPath(share, chunk).map((sibling) => toHex(sibling)),
  };
}

/** The root of a share, and its operator's signature of it. */
export async function signShare(
  deployment: Deployment,
  epochId: Hex,
  opening: TestOpening,
  index: number,
  share: Share,
): Promise<Hex> {
  return signRoot(deployment, epochId, opening.id, index, commitShare(share));
}
