import { hexToBytes, isAddressEqual, type Address, type Hex } from 'viem';

import {
  operatorKey,
  type EpochEntry,
  type GatewayState,
  type OperatorEntry,
  type ProposalEntry,
} from '../../chain/state.ts';
import { peerIdFromBytes } from '../../net/host/index.ts';
import { committeeOf, isCommitteeSize, type Committee } from '../../sharing/committee.ts';
import type { Peer } from './seat.ts';

/** This operator's place in a proposed committee, before it has keys. */
export interface Membership {
  readonly committee: Committee;
  /** Own committee index. */
  readonly index: number;
  readonly peers: readonly Peer[];
}

/** Own committee index in a proposal or epoch, or undefined for somebody else's. */
export function indexIn(
  committee: { signers: readonly Address[] },
  self: Address,
): number | undefined {
  const position = committee.signers.findIndex((signer) => isAddressEqual(signer, self));
  return position < 0 ? undefined : position + 1;
}

/** Peer ids that have been parsed; more than there are operators in any deployment. */
const MAX_PARSED = 1_024;

/** What has been parsed: all of a committee's are, at each connection and each block. */
const parsed = new Map<Hex, string | undefined>();

/** A peer id as it was registered; undefined if there is none or it is malformed. */
export function parsePeerId(registered: Hex | undefined): string | undefined {
  if (registered === undefined) return undefined;
  if (parsed.has(registered)) return parsed.get(registered);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  let peerId: string | undefined;
  try {
    peerId = peerIdFromBytes(hexToBytes(registered));
  } catch {
    // Malformed, and will be again.
  }
  parsed.set(registered, peerId);
  return peerId;
}

/** The others in a proposal or epoch, without those whose registered peer id is malformed. */
export function membershipIn(
  entry: ProposalEntry | EpochEntry,
  self: Address,
): Membership | undefined {
  const index = indexIn(entry, self);
  const { length } = entry.signers;
  // The contract makes no others; but an endpoint that lies must not end this process.
  const wellFormed = isCommitteeSize(length) && entry.peerIds.length === length;
  if (index === undefined || !wellFormed) return undefined;
  const peers = entry.peerIds.flatMap((registered, position) => {
    const peerId = parsePeerId(registered);
    return position + 1 === index || peerId === undefined ? [] : [{ index: position + 1, peerId }];
  });
  return { committee: committeeOf(length), index, peers };
}

/**
 * The other operators of all committees that this one is or was in, by peer id. Those of ended epochs
 * still have to agree that it ended, before they erase its secrets.
 */
export function knownPeers(state: GatewayState, self: Address): Map<string, OperatorEntry> {
  const peers = new Map<string, OperatorEntry>();
  for (const proposal of state.proposals.values()) {
    const index = indexIn(proposal, self);
    if (index === undefined) continue;
    proposal.operators.forEach((operator, position) => {
      const peerId = parsePeerId(proposal.peerIds[position]);
      const entry = state.operators.get(operatorKey(operator));
      if (position + 1 !== index && peerId !== undefined && entry !== undefined)
        peers.set(peerId, entry);
    });
  }
  return peers;
}
