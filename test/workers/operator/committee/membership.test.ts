import type { Address, Hex } from 'viem';
import { bytesToHex } from 'viem';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  generatePeerKey,
  peerIdOf as idOf,
  peerIdToBytes,
} from '../../../../workers/net/host/index.ts';
import {
  indexIn,
  knownPeers,
  membershipIn,
  parsePeerId,
} from '../../../../workers/operator/committee/membership.ts';
import { digestOf, FakeChain } from '../fake-chain.ts';
import { signerAccount } from '../harness.ts';

const signers = [1, 2, 3, 4, 5].map((index) => signerAccount(index).address);
const [self] = signers;
let peerIds: string[];

beforeAll(async () => {
  peerIds = await Promise.all(signers.map(async () => idOf(await generatePeerKey())));
});

const bytesOf = (peerId: string): Hex => bytesToHex(peerIdToBytes(peerId));

function register(chain: FakeChain, at: number, peerId = bytesOf(peerIds[at])): void {
  const [operator, signer] = [signers[at], signers[at]];
  const multiaddr = `/ip4/127.0.0.1/tcp/${at + 1}`;
  const args = { operator, signer, peerId, multiaddr, endpoint: '' };
  chain.emit({ eventName: 'OperatorRegistered', args });
}

function propose(chain: FakeChain, name: string, members: readonly Address[]): Hex {
  const proposalId = digestOf(name);
  const args = { proposalId, operators: members, signers: members, deadline: 0n };
  chain.emit({ eventName: 'EpochProposed', args });
  return proposalId;
}

/** A chain with operators 1..4 (and 5 outside) in a proposal. */
function propose4() {
  const chain = new FakeChain();
  const view = chain.follow();
  for (const at of signers.keys()) register(chain, at);
  const proposalId = propose(chain, 'proposal', signers.slice(0, 4));
  return { chain, state: view.now, proposal: () => view.now.proposals.get(proposalId)! };
}

describe('membership', () => {
  it('has indices from 1 by position, and none for others', () => {
    const { proposal } = propose4();
    expect(signers.map((signer) => indexIn(proposal(), signer))).toEqual([1, 2, 3, 4, undefined]);
    expect(indexIn(proposal(), signers[2].toLowerCase() as Address)).toBe(3);
  });

  it('has everybody but oneself as peers', () => {
    const { proposal } = propose4();
    expect(membershipIn(proposal(), signers[1])).toMatchObject({
      index: 2,
      committee: { n: 4, t: 1 },
      peers: [1, 3, 4].map((index) => ({ index, peerId: peerIds[index - 1] })),
    });
    expect(membershipIn(proposal(), signers[4])).toBeUndefined();
  });

  it('leaves out who has registered nothing, or nonsense as its peer id', () => {
    const chain = new FakeChain();
    const { now } = chain.follow();
    register(chain, 0);
    register(chain, 1, '0x1234');
    register(chain, 2, `0x0024${'00'.repeat(36)}`);
    register(chain, 4);
    expect(parsePeerId('0x1234')).toBeUndefined();
    const entry = now.proposals.get(propose(chain, 'proposal', signers.slice(0, 4)))!;
    expect(membershipIn(entry, self)?.peers).toEqual([]);
    const other = now.proposals.get(propose(chain, 'other', [self, ...signers.slice(2)]))!;
    expect(membershipIn(other, self)?.peers.map(({ index }) => index)).toEqual([4]);
  });

  it('keeps the peers that were registered when it was proposed', () => {
    const { chain, state, proposal } = propose4();
    const { proposalId } = proposal();
    const before = membershipIn(proposal(), self);
    const epochId = digestOf('epoch');
    register(chain, 1, bytesOf(peerIds[4]));
    expect(membershipIn(proposal(), self)).toEqual(before);
    chain.emit({ eventName: 'EpochFrozen', args: { proposalId, epochId, standingBitmap: 15n } });
    register(chain, 2, bytesOf(peerIds[4]));
    expect(membershipIn(state.epochs.get(epochId)!, self)).toEqual(before);
    expect([...knownPeers(state, self).keys()]).toEqual(peerIds.slice(1, 4));
  });

  it('is in no committee of a size that the contract never makes', () => {
    const { chain, state } = propose4();
    const id = propose(chain, 'five', signers);
    expect(membershipIn(state.proposals.get(id)!, self)).toBeUndefined();
    const odd = { ...state.proposals.get(id)!, signers: signers.slice(0, 4) };
    expect(membershipIn(odd, self)).toBeUndefined();
  });
});

describe('known peers', () => {
  const indicesOf = (peers: ReadonlyMap<string, unknown>): number[] =>
    [...peers.keys()].map((peerId) => peerIds.indexOf(peerId) + 1).sort();

  it('are the others of every committee that one is in, with their addresses', () => {
    const { chain, state } = propose4();
    propose(chain, 'without', signers.slice(1));
    expect(indicesOf(knownPeers(state, self))).toEqual([2, 3, 4]);
    propose(chain, 'with', [self, ...signers.slice(2)]);
    expect(indicesOf(knownPeers(state, self))).toEqual([2, 3, 4, 5]);
    expect(knownPeers(state, self).get(peerIds[3])?.multiaddr).toBe('/ip4/127.0.0.1/tcp/4');
  });

  it('stay known when the committee has ended: they agree on that', () => {
    const { chain, state, proposal } = propose4();
    const { proposalId } = proposal();
    const epochId = digestOf('epoch');
    chain.emit({ eventName: 'EpochFrozen', args: { proposalId, epochId, standingBitmap: 15n } });
    chain.emit({ eventName: 'EpochActivated', args: { epochId } });
    expect(indicesOf(knownPeers(state, self))).toEqual([2, 3, 4]);
    chain.emit({ eventName: 'EpochRetired', args: { epochId } });
    expect(indicesOf(knownPeers(state, self))).toEqual([2, 3, 4]);
  });
});
