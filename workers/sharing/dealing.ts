import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import { bytes32, u16 } from './bytes.ts';
import { setsContaining } from './committee.ts';
import type { Committee } from './committee.ts';
import { SharingError, SharingErrorCode } from './errors.ts';
import { merkleRoot } from './merkle.ts';

/** Bytes of a seed that a dealer draws for one set. */
export const seedLength = 32;

const digestLength = 32;
const seedLabel = Buffer.from('keyloom/seed/1');

/** What a dealer draws and publishes for one proposed epoch. */
export interface Dealing {
  /** Secret: the seed of each set the dealer is a member of, by set number. */
  readonly seeds: ReadonlyMap<number, Uint8Array>;
  /** Public: the seeds' hashes in order of set number. */
  readonly hashes: readonly Uint8Array[];
  /** Merkle root over the hashes: what goes on chain. */
  readonly root: Hex;
}

/**
 * Draws a dealer's seeds and computes what it posts.
 *
 * Source: docs/formats.md, Set-up of an epoch; why it is safe: docs/sharing.md.
 *
 * @param proposalId of the proposed epoch: a dealing for one proposal says nothing in another
 * @param randomBytes a cryptographically secure source
 * @throws SharingError INDEX_OUT_OF_RANGE, LENGTH_INVALID
 */
export function createDealing(
  committee: Committee,
  proposalId: Hex,
  dealer: number,
  randomBytes: (length: number) => Uint8Array,
): Dealing {
  const numbers = setsContaining(committee, dealer);
  const seeds = new Map(numbers.map((number) => [number, randomBytes(seedLength)]));
  const hashes = numbers.map((number) => seedHash(proposalId, dealer, number, seeds.get(number)!));
  return { seeds, hashes, root: dealingRoot(hashes) };
}

/**
 * Hash by which a dealer commits to the seed of one set.
 *
 * @throws SharingError LENGTH_INVALID if the seed does not have 32 bytes
 */
export function seedHash(
  proposalId: Hex,
  dealer: number,
  setNumber: number,
  seed: Uint8Array,
): Buffer {
  assertSeedLength(seed);
  return createHash('sha256')
    .update(seedLabel)
    .update(bytes32(proposalId))
    .update(Buffer.of(dealer))
    .update(u16(setNumber))
    .update(seed)
    .digest();
}

/**
 * Checks that a list of hashes is the one behind the root that `dealer` posted.
 *
 * Such a list may come from anybody: the root authenticates it.
 *
 * @throws SharingError DEALING_ROOT_MISMATCH with the dealer as culprit
 */
export function verifyDealingHashes(
  committee: Committee,
  dealer: number,
  root: Hex,
  hashes: readonly Uint8Array[],
): void {
  const expected = setsContaining(committee, dealer).length;
  const wellFormed = hashes.length === expected && hashes.every((h) => h.length === digestLength);
  if (!wellFormed || !bytes32(root).equals(bytes32(dealingRoot(hashes)))) {
    throw new SharingError(
      SharingErrorCode.DEALING_ROOT_MISMATCH,
      'the seed hashes are not those behind the root on chain',
      { metadata: { dealer, hashes: hashes.length, expected }, culprits: [dealer] },
    );
  }
}

/**
 * Checks one seed, wherever it came from, against a verified list of hashes.
 *
 * Names no culprit: who handed over a wrong seed is for the caller to know.
 *
 * @throws SharingError SEED_UNEXPECTED if the dealer is not in the set, SEED_MISMATCH,
 * LENGTH_INVALID
 */
export function verifySeed(
  committee: Committee,
  proposalId: Hex,
  dealer: number,
  hashes: readonly Uint8Array[],
  setNumber: number,
  seed: Uint8Array,
): void {
  const expected = hashes[setsContaining(committee, dealer).indexOf(setNumber)];
  if (expected === undefined) {
    throw new SharingError(SharingErrorCode.SEED_UNEXPECTED, 'the dealer is not in this set', {
      metadata: { dealer, setNumber },
    });
  }
  if (!seedHash(proposalId, dealer, setNumber, seed).equals(expected)) {
    throw new SharingError(SharingErrorCode.SEED_MISMATCH, 'the seed has another hash', {
      metadata: { dealer, setNumber },
    });
  }
}

/**
 * Checks everything a member must hold of a dealer before it acknowledges it: all hashes, and the
 * seeds of exactly the sets that both are members of.
 *
 * @param root as posted on chain
 * @param seeds by set number, as received by `member` from the dealer
 * @throws SharingError DEALING_ROOT_MISMATCH, SEED_MISSING, SEED_MISMATCH, SEED_UNEXPECTED, each
 * with the dealer as culprit
 */
export function verifyDealing(
  committee: Committee,
  proposalId: Hex,
  dealer: number,
  root: Hex,
  hashes: readonly Uint8Array[],
  seeds: ReadonlyMap<number, Uint8Array>,
  member: number,
): void {
  verifyDealingHashes(committee, dealer, root, hashes);
  const shared = new Set(setsContaining(committee, dealer, member));
  const fault = (code: SharingErrorCode, setNumber: number): SharingError =>
    new SharingError(code, 'the dealing is not complete and correct for this member', {
      metadata: { dealer, member, setNumber },
      culprits: [dealer],
    });
  for (const setNumber of seeds.keys()) {
    if (!shared.has(setNumber)) throw fault(SharingErrorCode.SEED_UNEXPECTED, setNumber);
  }
  setsContaining(committee, dealer).forEach((setNumber, position) => {
    if (!shared.has(setNumber)) return;
    const seed = seeds.get(setNumber);
    if (seed === undefined) throw fault(SharingErrorCode.SEED_MISSING, setNumber);
    const matches =
      seed.length === seedLength &&
      seedHash(proposalId, dealer, setNumber, seed).equals(hashes[position]);
    if (!matches) throw fault(SharingErrorCode.SEED_MISMATCH, setNumber);
  });
}

/**
 * The seeds of `dealer` that a holder may give to `requester`: those of sets with both in them.
 *
 * This is what a dealer sends each member, and what any member answers later to one that lacks a
 * seed. Nothing else may leave: a seed outside the requester's sets would be one step to a set key
 * it must not know.
 *
 * @param held seeds of the dealer that the holder has, by set number
 * @throws SharingError INDEX_OUT_OF_RANGE
 */
export function servableSeeds(
  committee: Committee,
  requester: number,
  dealer: number,
  held: ReadonlyMap<number, Uint8Array>,
): Map<number, Uint8Array> {
  const servable = new Map<number, Uint8Array>();
  for (const number of setsContaining(committee, dealer, requester)) {
    const seed = held.get(number);
    if (seed !== undefined) servable.set(number, seed);
  }
  return servable;
}

/** The root over a dealing's hashes: what the dealer posts on chain. */
export function dealingRoot(hashes: readonly Uint8Array[]): Hex {
  return `0x${Buffer.from(merkleRoot(hashes)).toString('hex')}`;
}

/** @throws SharingError LENGTH_INVALID */
export function assertSeedLength(seed: Uint8Array): void {
  if (seed.length !== seedLength) {
    throw new SharingError(SharingErrorCode.LENGTH_INVALID, 'a seed has 32 bytes', {
      metadata: { length: seed.length },
    });
  }
}
