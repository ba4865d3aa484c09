import { bytesToHex, hexToBytes, keccak256, sliceHex, type Hex } from 'viem';

import {
  contributionId,
  decodePublished,
  encodePublished,
  publishedBytes,
  type PublishedContribution,
} from '../../ceremony/published.ts';
import { CeremonyErrorCode } from '../../ceremony/errors.ts';
import { stateHash, type PowersState } from '../../ceremony/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { isKeyloomError } from '../../errors.ts';

// What a contributor hands its peers, and they each other: the bytes of workers/ceremony/published.ts as
// a result of `/keyloom/results/1`, with a signature on the state in them.

/** A contribution without its file, which the digest in the state stands for. */
export type Offer = PublishedContribution;

/** The state comes first, 18 words. */
const STATE_BYTES = 18 * 32;

/** Length of an offer. */
export const offerBytes = publishedBytes;

/** Of which ceremony it is, behind which state, and whose. */
export interface OfferPlace {
  readonly epochId: Hex;
  readonly ceremonyId: Hex;
  readonly previous: PowersState;
  /** Committee index of the contributor; 0 for the beacon. */
  readonly index: number;
}

/** What peers ask for it by. */
export function offerId({ ceremonyId, previous, index }: OfferPlace): Hex {
  return contributionId(ceremonyId, previous, index);
}

export const encodeOffer = (offer: Offer): Uint8Array => hexToBytes(encodePublished(offer));

/** Undefined of bytes that are not the one form of an offer. */
export function decodeOffer(bytes: Uint8Array): Offer | undefined {
  try {
    return decodePublished(bytesToHex(bytes));
  } catch (error) {
    if (isKeyloomError(error, CeremonyErrorCode.PUBLISHED_INVALID)) return undefined;
    throw error;
  }
}

/**
 * What operators sign who hold the file of an offer and have checked it whole.
 *
 * @param offer its bytes
 */
export function offerStatement(
  { epochId, ceremonyId, previous }: OfferPlace,
  offer: Hex,
): Statement {
  const next = keccak256(sliceHex(offer, 0, STATE_BYTES));
  const message = { epochId, ceremonyId, previous: stateHash(previous), next };
  return { type: 'Contribution', message };
}
