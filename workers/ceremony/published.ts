import { decodeAbiParameters, encodeAbiParameters, keccak256, type Hex } from 'viem';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import type { UpdateProof } from './proof.ts';
import { powersStateType, stateHash, type PowersState } from './state.ts';

/** Bytes that a contributor publishes: 18 words of state and 4 of proof. */
export const publishedBytes = 704;

const layout = [
  powersStateType,
  {
    type: 'tuple',
    components: [
      { name: 'challenge', type: 'uint256' },
      { name: 'tau', type: 'uint256' },
      { name: 'alpha', type: 'uint256' },
      { name: 'beta', type: 'uint256' },
    ],
  },
] as const;

/** A state and the proof that it follows from the one before. */
export interface PublishedContribution {
  readonly state: PowersState;
  readonly proof: UpdateProof;
}

/** What operators ask each other for and send to the contract. */
export function encodePublished({ state, proof }: PublishedContribution): Hex {
  return encodeAbiParameters(layout, [state, proof]);
}

/**
 * Inverse of encodePublished.
 *
 * @throws CeremonyError PUBLISHED_INVALID if it is not what encodePublished would write
 */
export function decodePublished(bytes: Hex): PublishedContribution {
  const published = decoded(bytes);
  if (published === undefined || encodePublished(published) !== bytes.toLowerCase()) {
    throw new CeremonyError(
      CeremonyErrorCode.PUBLISHED_INVALID,
      'not a state and a proof in canonical form',
      { metadata: { length: bytes.length / 2 - 1 } },
    );
  }
  return published;
}

/** Off-chain name of what the member of this index publishes on top of a state. */
export function contributionId(ceremonyId: Hex, previous: PowersState, index: number): Hex {
  return keccak256(encodeAbiParameters(idLayout, [ceremonyId, stateHash(previous), index]));
}

const idLayout = [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint8' }] as const;

function decoded(bytes: Hex): PublishedContribution | undefined {
  if (bytes.length !== 2 + 2 * publishedBytes) return undefined;
  try {
    const [state, proof] = decodeAbiParameters(layout, bytes);
    return { state, proof };
  } catch {
    return undefined;
  }
}
