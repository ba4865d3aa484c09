import {
  encodeAbiParameters,
  keccak256,
  parseAbiParameters,
  stringToHex,
  zeroHash,
  type Hex,
} from 'viem';
import { describe, expect, it } from 'vitest';

import { isAuthentic } from '../../../workers/chain/authentic.ts';
import type { Deployment } from '../../../workers/chain/client.ts';
import type { GatewayEvent } from '../../../workers/chain/events.ts';
import { apply } from '../../../workers/chain/reducer.ts';
import { emptyState, type GatewayState } from '../../../workers/chain/state.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { epochId as idOfEpoch, setupDigest } from '../../../workers/sharing/setup.ts';

// What operators believe of the chain without asking others: each case is a log that an endpoint
// invents to give a known id another meaning.

const word = (text: string): Hex => keccak256(stringToHex(text));
const account = (last: number): Hex => `0x${last.toString(16).padStart(40, '0')}`;

const deployment: Deployment = {
  chainId: 31337n,
  addresses: {
    decryptionGateway: account(0xa1),
    epochManager: account(0xa2),
    keyManager: account(0xa3),
    evaluationKeyManager: account(0xa6),
    ciphertextRegistry: account(0xa4),
    crsManager: account(0xa7),
    operatorRegistry: account(0xa5),
  },
};
const { chainId, addresses } = deployment;
const hash = (types: string, values: readonly unknown[]): Hex =>
  keccak256(encodeAbiParameters(parseAbiParameters(types), values as never));

const operators = [1, 2, 3, 4].map(account);
const signers = [11, 12, 13, 14].map(account);
const salt = word('salt');
const proposalId = hash('uint256, address, address[], address[], bytes32', [
  ...[chainId, addresses.epochManager],
  ...[operators, signers, salt],
]);
const roots = [word('root 1'), word('root 2'), word('root 4')];
const digest = setupDigest(committeeOf(4), proposalId, [1, 2, 4], roots);
const { epochManager } = addresses;
const epochId = idOfEpoch({ chainId, epochManager, signers, setupDigest: digest });
const parameters = { name: 'set', degree: 8, plainModulus: 17n, primes: [97n, 113n] };
const parameterSetId = hash('string, uint32, uint64, uint64[]', Object.values(parameters));
const requested = { epochId, parameterSetId, requester: account(9), label: word('label') };
const keyId = hash('uint256, address, bytes32, bytes32, address, bytes32', [
  ...[chainId, addresses.keyManager],
  ...Object.values(requested),
]);
const handle = hash('uint256, address, bytes32, bytes32, address, uint8, bytes32', [
  ...[chainId, addresses.ciphertextRegistry],
  ...[keyId, word('ciphertext'), account(9), 1, word('proof')],
]);

const galois = {
  ...{ epochId, keyId, kind: 2, targetKeyId: zeroHash },
  elements: [3, 5],
};
const galoisId = hash('uint256, address, bytes32, bytes32, uint8, bytes32, uint32[]', [
  ...[chainId, addresses.evaluationKeyManager],
  ...Object.values(galois),
]);
const publicly = {
  ...{ epochId, handles: [handle], positions: [0] },
  ...{ requester: account(9), salt: word('request') },
};
const publicId = hash('uint256, address, bytes32, bytes32[], uint32[], address, bytes32', [
  ...[chainId, addresses.decryptionGateway],
  ...Object.values(publicly),
]);
const forUser = {
  ...{ epochId, handles: [handle], packed: true },
  ...{ user: account(7), publicKeyDigest: word('public key') },
  ...{ requester: account(9), salt: word('request') },
};
const userId = hash(
  'uint256, address, bytes32, bytes32[], bool, address, bytes32, address, bytes32',
  [chainId, addresses.decryptionGateway, ...Object.values(forUser)],
);

const event = (eventName: string, args: object): GatewayEvent =>
  ({ eventName, args }) as unknown as GatewayEvent;

const peerIdBytes = (of: string): Hex => `0x0024${word(of).slice(2)}`;
const genuine = {
  operator: event('OperatorRegistered', {
    ...{ operator: operators[0], signer: signers[0], peerId: peerIdBytes('peer 1') },
    ...{ multiaddr: '/dns/one/tcp/1', endpoint: '', bondWei: 1n },
  }),
  proposed: event('EpochProposed', { proposalId, operators, signers, salt, deadline: 1n }),
  frozen: event('EpochFrozen', {
    ...{ proposalId, epochId },
    ...{ setupDigest: digest, standingBitmap: 0b1011n },
  }),
  added: event('ParameterSetAdded', { parameterSetId, set: parameters }),
  key: event('KeyRequested', { keyId, ...requested, deadline: 1n }),
  registered: event('CiphertextRegistered', {
    ...{ handle, keyId, digest: word('ciphertext') },
    ...{
      limbs: 3,
      noiseBits: 20,
      owner: account(9),
      source: zeroHash,
      origin: 1,
      proofDigest: word('proof'),
    },
  }),
  galois: event('EvaluationKeysRequested', {
    ...{ requestId: galoisId, ...galois },
    ...{ requester: account(9), deadline: 1n },
  }),
  publicly: event('PublicDecryptionRequested', {
    ...{ requestId: publicId, ...publicly },
    ...{ keyId, deadline: 1n },
  }),
  forUser: event('UserDecryptionRequested', {
    ...{ requestId: userId, ...forUser },
    ...{ keyId, deadline: 1n },
  }),
};
/** Genuine events of requests and registrations that need none before them. */
const independent = [
  ...[genuine.operator, genuine.added, genuine.key, genuine.registered],
  ...[genuine.galois, genuine.publicly, genuine.forUser],
];

/** The state after the proposal and its dealings. */
function dealt(): GatewayState {
  const state = emptyState();
  apply(state, genuine.proposed, 1n);
  [1, 2, 4].forEach((dealer, at) =>
    apply(state, event('DealingPosted', { proposalId, dealer, root: roots[at] }), 2n),
  );
  return state;
}

const changed = (of: GatewayEvent, args: object): GatewayEvent =>
  event(of.eventName, { ...of.args, ...args });

describe('events as the contracts emit them', () => {
  it('are authentic', () => {
    expect(isAuthentic(deployment, emptyState(), genuine.proposed)).toBe(true);
    expect(isAuthentic(deployment, dealt(), genuine.frozen)).toBe(true);
    for (const of of independent)
      expect(isAuthentic(deployment, emptyState(), of), of.eventName).toBe(true);
    expect(isAuthentic(deployment, emptyState(), event('EpochRetired', { epochId }))).toBe(true);
  });

  it('are so again only where the contract lets them come again', () => {
    const state = dealt();
    for (const of of [genuine.frozen, ...independent]) apply(state, of, 3n);
    // Keys can be requested again once they have expired.
    const repeated = [genuine.key, genuine.galois];
    for (const of of repeated) expect(isAuthentic(deployment, state, of), of.eventName).toBe(true);
    for (const of of [genuine.proposed, genuine.frozen, ...independent])
      if (!repeated.includes(of))
        expect(isAuthentic(deployment, state, of), of.eventName).toBe(false);
    // So can decryptions, and the contract says first that they have.
    for (const [of, requestId, answered] of [
      [genuine.publicly, publicId, 'PublicDecryptionResponded'],
      [genuine.forUser, userId, 'UserDecryptionResponded'],
    ] as const) {
      apply(state, event('RequestExpired', { requestId, payer: account(9) }), 4n);
      expect(isAuthentic(deployment, state, of), of.eventName).toBe(true);
      expect(isAuthentic(deployment, state, changed(of, { handles: [] }))).toBe(false);
      apply(state, of, 5n);
      expect(isAuthentic(deployment, state, of), of.eventName).toBe(false);
      apply(state, event(answered, { requestId, result: '0x', signerBitmap: 7n }), 6n);
      apply(state, event('RequestExpired', { requestId, payer: account(9) }), 7n);
      expect(isAuthentic(deployment, state, of), of.eventName).toBe(false);
    }
  });
});

describe('an invented log', () => {
  const liars = [account(11), account(66), account(67), account(68)];
  it.each<[string, GatewayEvent]>([
    ['puts other signers into a proposal', changed(genuine.proposed, { signers: liars })],
    ['puts other operators into a proposal', changed(genuine.proposed, { operators: liars })],
    ['changes the order of signers', changed(genuine.proposed, { signers: signers.toReversed() })],
    ['gives a key another epoch', changed(genuine.key, { epochId: word('other') })],
    ['gives a key other parameters', changed(genuine.key, { parameterSetId: word('other') })],
    ['gives a key another requester', changed(genuine.key, { requester: account(8) })],
    ['gives a handle another ciphertext', changed(genuine.registered, { digest: word('other') })],
    ['gives a handle another key', changed(genuine.registered, { keyId: word('other') })],
    ['gives a handle another owner', changed(genuine.registered, { owner: account(8) })],
    ['gives a handle another origin', changed(genuine.registered, { origin: 0 })],
    ['gives a handle an unknown origin', changed(genuine.registered, { origin: 4 })],
    ['gives a handle another proof', changed(genuine.registered, { proofDigest: word('other') })],
    ['gives evaluation keys another key', changed(genuine.galois, { keyId: word('other') })],
    ['gives evaluation keys another kind', changed(genuine.galois, { kind: 1 })],
    ['gives evaluation keys no kind', changed(genuine.galois, { kind: 0 })],
    ['gives evaluation keys an unknown kind', changed(genuine.galois, { kind: 4 })],
    ['gives evaluation keys a target', changed(genuine.galois, { targetKeyId: word('other') })],
    ['gives evaluation keys other elements', changed(genuine.galois, { elements: [3, 7] })],
    ['gives evaluation keys another epoch', changed(genuine.galois, { epochId: word('other') })],
    ['gives a request other handles', changed(genuine.publicly, { handles: [word('other')] })],
    ['gives a request other positions', changed(genuine.publicly, { positions: [1] })],
    ['gives a request another epoch', changed(genuine.publicly, { epochId: word('other') })],
    ['gives a request another requester', changed(genuine.publicly, { requester: account(8) })],
    ['gives a request another salt', changed(genuine.publicly, { salt: word('other') })],
    ['re-encrypts other handles', changed(genuine.forUser, { handles: [word('other')] })],
    ['re-encrypts in another form', changed(genuine.forUser, { packed: false })],
    ['re-encrypts to another key', changed(genuine.forUser, { publicKeyDigest: word('other') })],
    ['re-encrypts for another user', changed(genuine.forUser, { user: account(8) })],
    ['re-encrypts in another epoch', changed(genuine.forUser, { epochId: word('other') })],
    ['re-encrypts for another requester', changed(genuine.forUser, { requester: account(8) })],
    [
      'gives a parameter set other primes',
      changed(genuine.added, { set: { ...parameters, primes: [97n] } }),
    ],
  ])('that %s is not believed', (_, invented) => {
    expect(isAuthentic(deployment, emptyState(), invented)).toBe(false);
  });

  it.each<[string, object]>([
    ['gives an operator another peer id', { peerId: peerIdBytes('liar') }],
    ['gives an operator another signer', { signer: liars[1] }],
    ['gives an operator both anew', { signer: liars[1], peerId: peerIdBytes('liar') }],
    ['gives somebody else its signer', { operator: liars[1], peerId: peerIdBytes('liar') }],
    ['gives somebody else its peer id', { operator: liars[1], signer: liars[2] }],
  ])('that %s is not believed', (_, args) => {
    const state = emptyState();
    apply(state, genuine.operator, 1n);
    expect(isAuthentic(deployment, state, changed(genuine.operator, args))).toBe(false);
    // Who has left stays known.
    apply(state, event('BondWithdrawn', { operator: operators[0] }), 2n);
    expect(isAuthentic(deployment, state, changed(genuine.operator, args))).toBe(false);
  });

  it.each<[string, object]>([
    ['of an epoch with another id', { epochId: word('other') }],
    ['of an epoch with another set-up', { setupDigest: word('other') }],
    ['with other standing dealers', { standingBitmap: 0b0111n }],
    ['with too few dealers', { standingBitmap: 0b0011n }],
    ['with no dealers', { standingBitmap: 0n }],
    ['of an unknown proposal', { proposalId: word('other') }],
  ])('of a frozen set-up %s is not believed', (_, args) => {
    expect(isAuthentic(deployment, dealt(), changed(genuine.frozen, args))).toBe(false);
  });

  it('of a frozen set-up over roots that were not posted is not believed', () => {
    const state = emptyState();
    apply(state, genuine.proposed, 1n);
    expect(isAuthentic(deployment, state, genuine.frozen)).toBe(false);
    const other = dealt();
    const root = word('root of a liar');
    apply(other, event('DealingPosted', { proposalId, dealer: 2, root }), 3n);
    expect(isAuthentic(deployment, other, genuine.frozen)).toBe(false);
  });

  it('of a proposal of no possible size, or on another deployment, is not believed', () => {
    const content = [chainId, addresses.epochManager, [], [], salt];
    const empty = hash('uint256, address, address[], address[], bytes32', content);
    const proposed = event('EpochProposed', {
      ...{ proposalId: empty, operators: [], signers: [] },
      ...{ salt, deadline: 1n },
    });
    const state = emptyState();
    apply(state, proposed, 1n);
    const frozen = event('EpochFrozen', {
      ...{ proposalId: empty, epochId },
      ...{ setupDigest: digest, standingBitmap: 0n },
    });
    expect(isAuthentic(deployment, state, frozen)).toBe(false);
    const elsewhere = { ...deployment, chainId: 1n };
    expect(isAuthentic(elsewhere, emptyState(), genuine.proposed)).toBe(false);
  });
});
