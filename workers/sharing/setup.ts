import { createHmac } from 'node:crypto';
import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { Address, Hex } from 'viem';
import { bytes32, u16 } from './bytes.ts';
import { assertIndex, setsContaining } from './committee.ts';
import type { Committee } from './committee.ts';
import { assertSeedLength } from './dealing.ts';
import { SharingError, SharingErrorCode } from './errors.ts';

const setKeyLabel = Buffer.from('keyloom/set-key/1');

const layouts = {
  setupDigest: parseAbiParameters('bytes32, uint256, bytes32[]'),
  signers: parseAbiParameters('address[]'),
  epochId: parseAbiParameters('uint256, address, bytes32, bytes32'),
};

/**
 * Digest of a finished set-up.
 *
 * @param standing dealers that stand, ascending, at least 2t+1
 * @param roots their dealing roots, in the same order
 * @throws SharingError STANDING_INVALID, INDEX_OUT_OF_RANGE
 */
export function setupDigest(
  committee: Committee,
  proposalId: Hex,
  standing: readonly number[],
  roots: readonly Hex[],
): Hex {
  assertStanding(committee, standing);
  if (roots.length !== standing.length) {
    throw new SharingError(SharingErrorCode.STANDING_INVALID, 'one root per standing dealer', {
      metadata: { standing: standing.length, roots: roots.length },
    });
  }
  const bitmap = standing.reduce((bits, dealer) => bits | (1n << BigInt(dealer - 1)), 0n);
  return keccak256(encodeAbiParameters(layouts.setupDigest, [proposalId, bitmap, roots]));
}

/**
 * Id of an epoch: a digest of who is in it and how it was set up, so never the same on two forks.
 *
 * @param signers addresses of the operators in order of their index
 */
export function epochId(epoch: {
  readonly chainId: bigint;
  readonly epochManager: Address;
  readonly signers: readonly Address[];
  readonly setupDigest: Hex;
}): Hex {
  const signers = keccak256(encodeAbiParameters(layouts.signers, [epoch.signers]));
  return keccak256(
    encodeAbiParameters(layouts.epochId, [
      epoch.chainId,
      epoch.epochManager,
      signers,
      epoch.setupDigest,
    ]),
  );
}

/**
 * The keys K_A of all sets an operator is a member of.
 *
 * Secret: seeds and result. A key is uniform to everybody outside the set as long as one standing
 * dealer in the set drew its seed honestly; the 2t+1 members of a set and the 2t+1 standing dealers
 * have at least t+1 operators in common.
 *
 * @param standing dealers that stand, ascending
 * @param seeds verified seed of a dealer for a set; called only for sets with both dealer and
 * operator in them
 * @throws SharingError SEED_MISSING, LENGTH_INVALID, STANDING_INVALID, INDEX_OUT_OF_RANGE
 */
export function deriveSetKeys(
  committee: Committee,
  index: number,
  digest: Hex,
  standing: readonly number[],
  seeds: (dealer: number, setNumber: number) => Uint8Array | undefined,
): Map<number, Uint8Array> {
  assertStanding(committee, standing);
  const keys = new Map<number, Uint8Array>();
  for (const number of setsContaining(committee, index)) {
    const mac = createHmac('sha256', setKeyLabel).update(bytes32(digest)).update(u16(number));
    for (const dealer of standing) {
      if (!committee.sets[number].includes(dealer)) continue;
      const seed = seeds(dealer, number);
      if (seed === undefined) {
        throw new SharingError(
          SharingErrorCode.SEED_MISSING,
          'a standing dealer’s seed is missing',
          {
            metadata: { dealer, setNumber: number },
          },
        );
      }
      assertSeedLength(seed);
      mac.update(seed);
    }
    keys.set(number, mac.digest());
  }
  return keys;
}

function assertStanding(committee: Committee, standing: readonly number[]): void {
  for (const dealer of standing) assertIndex(committee, dealer);
  const ascending = standing.every((dealer, at) => at === 0 || standing[at - 1] < dealer);
  if (!ascending || standing.length < committee.quorum) {
    throw new SharingError(
      SharingErrorCode.STANDING_INVALID,
      'at least 2t+1 dealers stand, in ascending order',
      { metadata: { standing: standing.join(','), quorum: committee.quorum } },
    );
  }
}
