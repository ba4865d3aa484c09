import type { Hex } from 'viem';

import { ByteReader, concatBytes, fixedBytes, u16Bytes } from '../bytes.ts';
import { NetError, NetErrorCode } from '../errors.ts';
import type { Codec } from '../exchange/index.ts';
import { setupRate } from '../limits.ts';
import { signatureBytes } from '../signed.ts';

export interface SetupQuestion {
  readonly proposalId: Hex;
  /** Committee index of the dealer whose dealing is asked for, 1..13. */
  readonly dealer: number;
  /** Of the asker's signer over the proposal and its own peer id (`SeedRequest`). */
  readonly signature: Hex;
}

/** What one operator receives of a dealing. */
export interface DealingPart {
  /** Seed hashes of all sets that contain the dealer, in order of set number. */
  readonly hashes: readonly Uint8Array[];
  /** Seeds by set number, of the sets that contain dealer and asker. Secret. */
  readonly seeds: ReadonlyMap<number, Uint8Array>;
}

/** C(12, 8): the sets of a committee of 13 that contain a given operator. */
const maxSetsOfDealer = 495;
/** C(13, 9): the sets of a committee of 13. */
const maxSets = 715;
const maxDealer = 13;
const maxBytes = 2 + 32 * maxSetsOfDealer + 2 + (2 + 32) * maxSetsOfDealer;

/**
 *   question = proposalId[32] ‖ u8 dealer ‖ signature[65]
 *   answer   = u16 count ‖ hash[32]* ‖ u16 count ‖ (u16 set number ‖ seed[32])*   numbers ascending
 */
export const codec: Codec<SetupQuestion, DealingPart, unknown> = {
  protocol: '/keyloom/setup/1',
  questionBytes: 32 + 1 + signatureBytes,
  rate: setupRate,

  encodeQuestion({ proposalId, dealer, signature }) {
    if (!isDealer(dealer)) throw invalid('dealer is not a committee index');
    return concatBytes([
      fixedBytes(proposalId, 32, 'proposalId'),
      Uint8Array.of(dealer),
      fixedBytes(signature, signatureBytes, 'signature'),
    ]);
  },

  decodeQuestion(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.questionMalformed);
    const proposalId = reader.hex(32);
    const dealer = reader.u8();
    reader.check(isDealer(dealer), 'dealer is not a committee index');
    const signature = reader.hex(signatureBytes);
    reader.end();
    return { proposalId, dealer, signature };
  },

  encodeAnswer({ hashes, seeds }) {
    const ordered = [...seeds].sort(([a], [b]) => a - b);
    const wellFormed =
      hashes.length <= maxSetsOfDealer &&
      ordered.length <= maxSetsOfDealer &&
      hashes.every((hash) => hash.length === 32) &&
      ordered.every(([set, seed]) => isSetNumber(set) && seed.length === 32);
    if (!wellFormed) throw invalid('dealing has a wrong size');
    return concatBytes([
      u16Bytes(hashes.length),
      ...hashes,
      u16Bytes(ordered.length),
      ...ordered.flatMap(([set, seed]) => [u16Bytes(set), seed]),
    ]);
  },

  maxAnswerBytes: () => maxBytes,

  decodeAnswer(bytes) {
    const reader = new ByteReader(bytes, NetErrorCode.answerMalformed);
    const hashCount = reader.u16();
    reader.check(hashCount <= maxSetsOfDealer, 'too many hashes');
    const hashes = Array.from({ length: hashCount }, () => reader.take(32));
    const seedCount = reader.u16();
    reader.check(seedCount <= maxSetsOfDealer, 'too many seeds');
    const seeds = new Map<number, Uint8Array>();
    let previous = -1;
    for (let count = 0; count < seedCount; count++) {
      const set = reader.u16();
      reader.check(set > previous && isSetNumber(set), 'set numbers out of order or range');
      previous = set;
      seeds.set(set, reader.take(32));
    }
    reader.end();
    return { hashes, seeds };
  },
};

function isDealer(dealer: number): boolean {
  return Number.isInteger(dealer) && dealer >= 1 && dealer <= maxDealer;
}

function isSetNumber(set: number): boolean {
  return Number.isInteger(set) && set >= 0 && set < maxSets;
}

function invalid(what: string): NetError {
  return new NetError(NetErrorCode.argumentInvalid, `Set-up message: ${what}`);
}
