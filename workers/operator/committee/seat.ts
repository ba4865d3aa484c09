import type { Address, Hex } from 'viem';

import type { Session } from '../../protocols/opening.ts';
import { assertIndex } from '../../sharing/committee.ts';
import type { SharedRandomness } from '../../sharing/prss.ts';

/** An operator of the same epoch, as this one reaches it. */
export interface Peer {
  readonly index: number;
  readonly peerId: string;
}

/** This operator's place in one epoch: who it is there, and who the others are. */
export interface Place {
  readonly session: Session;
  /** Own committee index, from 1. */
  readonly index: number;
  /** Signer of index i at position i-1. */
  readonly signers: readonly Address[];
  /** The other operators. */
  readonly peers: readonly Peer[];
  /** Peers whose signatures did not check: not asked again while the process runs. */
  readonly setAside: Set<number>;
}

/** A place with its set keys: what it takes to serve requests. */
export interface Seat extends Place {
  /** Secret. */
  readonly randomness: SharedRandomness;
}

/** Signer of a committee index. */
export function signerOf(seat: Place, index: number): Address {
  assertIndex(seat.session.committee, index);
  return seat.signers[index - 1];
}

/** Peers that are still asked. */
export function activePeers(seat: Place): Peer[] {
  return seat.peers.filter(({ index }) => !seat.setAside.has(index));
}

/** Set keys as one secret: number (u16) and key (32 bytes) of each set, ascending. */
export function encodeSetKeys(keys: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const sorted = [...keys].sort(([a], [b]) => a - b);
  return Buffer.concat(
    sorted.map(([number, key]) => {
      const entry = Buffer.alloc(34);
      entry.writeUInt16LE(number);
      entry.set(key, 2);
      return entry;
    }),
  );
}

export function decodeSetKeys(bytes: Uint8Array): Map<number, Uint8Array> {
  const buffer = Buffer.from(bytes);
  const keys = new Map<number, Uint8Array>();
  for (let at = 0; at < buffer.length; at += 34)
    keys.set(buffer.readUInt16LE(at), Uint8Array.from(buffer.subarray(at + 2, at + 34)));
  return keys;
}

/** Names under which an operator keeps its secrets. */
export const secretName = {
  seeds: (proposalId: Hex, dealer?: number): string =>
    `seeds/${proposalId}/${dealer === undefined ? '' : dealer}`,
  setKeys: (epochId: Hex): string => `epoch/${epochId}/set-keys`,
  keyShare: (keyId: Hex, generation: number): string => `key/${keyId}/share/${generation}`,
  key: (keyId: Hex): string => `key/${keyId}/`,
} as const;
