import {
  concat,
  encodeAbiParameters,
  keccak256,
  numberToHex,
  zeroAddress,
  type Address,
  type Hex,
  type LocalAccount,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ciphertextRegistryAbi,
  decryptionGatewayAbi,
  epochManagerAbi,
  evaluationKeyManagerAbi,
  keyManagerAbi,
  operatorRegistryAbi,
} from '../../../workers/chain/abi.ts';
import { connectGateway, type GatewayClient } from '../../../workers/chain/client.ts';
import { decodeGatewayLogs, type GatewayEvent } from '../../../workers/chain/events.ts';
import { permitTypedData } from '../../../workers/chain/permit.ts';
import { apply } from '../../../workers/chain/reducer.ts';
import {
  emptyState,
  indicesOf,
  operatorKey,
  type GatewayState,
} from '../../../workers/chain/state.ts';
import { signStatement, type Statement } from '../../../workers/chain/typed-data.ts';
import { GatewayWatcher } from '../../../workers/chain/watcher.ts';
import { temporaryStores } from '../store/support.ts';
import {
  deployGateway,
  depositFor,
  registerOperator,
  send,
  type TestDeployment,
} from './support/deployment.ts';
import { account, startNode, type TestNode } from './support/node.ts';

const { directory, open } = temporaryStores();
const word = (value: number): Hex => numberToHex(value, { size: 32 });
const governor = account(0);
const operators = [1, 2, 3, 4].map(account);
const signers = [5, 6, 7, 8].map(account);
const [, , , fourth] = signers;

let node: TestNode;
let deployment: TestDeployment;
let gateway: GatewayClient;

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
  gateway = await connectGateway({
    rpcUrls: [node.rpcUrl],
    gateway: deployment.addresses.decryptionGateway,
  });
  for (const payer of [governor, account(8), account(9)]) await depositFor(node, deployment, payer);
});
afterAll(() => node?.stop());

/** Reads the whole chain with a fresh watcher and folds it. */
async function fold(): Promise<GatewayState> {
  const store = await open(directory());
  const watcher = new GatewayWatcher({
    source: gateway.endpoints,
    addresses: gateway.addresses,
    journal: store.blocks,
    confirmations: 0,
    pollMs: 10,
    fromBlock: gateway.deploymentBlock,
  });
  const state = emptyState();
  const latest = await node.client.getBlockNumber();
  const stop = new AbortController();
  for await (const update of watcher.watch(stop.signal)) {
    if (update.kind !== 'block') continue;
    for (const event of update.events) apply(state, event, update.height);
    if (store.blocks.scanned()!.height >= latest && update.height >= store.blocks.head()!.height) {
      stop.abort();
    }
  }
  return state;
}

const on = {
  epochs: (from: LocalAccount, functionName: string, ...args: unknown[]) =>
    send(node, from, {
      ...{ address: gateway.addresses.epochManager, abi: epochManagerAbi, functionName, args },
    }),
  keys: (from: LocalAccount, functionName: string, ...args: unknown[]) =>
    send(node, from, {
      ...{ address: gateway.addresses.keyManager, abi: keyManagerAbi, functionName, args },
    }),
  evaluationKeys: (from: LocalAccount, functionName: string, ...args: unknown[]) =>
    send(node, from, {
      address: gateway.addresses.evaluationKeyManager,
      ...{ abi: evaluationKeyManagerAbi, functionName, args },
    }),
  ciphertexts: (from: LocalAccount, functionName: string, ...args: unknown[]) =>
    send(node, from, {
      address: gateway.addresses.ciphertextRegistry,
      ...{ abi: ciphertextRegistryAbi, functionName, args },
    }),
  decryptions: (from: LocalAccount, functionName: string, ...args: unknown[]) =>
    send(node, from, {
      address: gateway.addresses.decryptionGateway,
      ...{ abi: decryptionGatewayAbi, functionName, args },
    }),
};

/** The one entry of a map that has one. */
function only<Entry>(entries: Map<unknown, Entry>): Entry {
  expect(entries.size).toBe(1);
  return [...entries.values()][0];
}

type Result = Extract<Statement, { type: 'Result' }>;
const quorum = async (contract: Result['contract'], message: Result['message']) => {
  const statement = { type: 'Result', contract, message } as const;
  const three = signers.slice(0, 3);
  const signatures = await Promise.all(three.map((one) => signStatement(one, gateway, statement)));
  return [7n, concat(signatures)] as const;
};

const parameterSet = {
  name: 'insecure-test',
  degree: 1024,
  plainModulus: 12289n,
  primes: [12289n, 18433n, 40961n],
  decryptionLimbs: [2, 2, 0, 0],
  floodBits: [10, 10, 0, 0],
  maxNoiseBits: [20, 19, 0, 0],
  lambda: 64,
};

describe('the state folded from the logs', () => {
  it('agrees with the contracts through the life of an epoch, a key and a request', async () => {
    for (const [i, operator] of operators.entries()) {
      await registerOperator(node, deployment, operator, signers[i].address);
    }
    const addresses = operators.map(({ address }) => address);
    const proposed = await on.epochs(governor, 'proposeEpoch', addresses, word(1));
    let state = await fold();
    expect(state.operators.get(operatorKey(addresses[2]))).toMatchObject({
      operator: addresses[2],
      signer: signers[2].address,
      peerId: `0x0024${signers[2].address.slice(2).toLowerCase()}`,
      multiaddr: `/dns4/${addresses[2]}/tcp/9`,
      endpoint: 'https://operator',
      state: 'bonded',
    });
    const { proposalId } = only(state.proposals);
    expect(only(state.proposals)).toMatchObject({
      operators: addresses,
      signers: signers.map(({ address }) => address),
      phase: 'proposed',
      height: proposed.blockNumber,
      epochId: undefined,
    });

    for (const [i, signer] of signers.entries()) {
      if (i !== 1) await on.epochs(signer, 'postDealing', proposalId, word(100 + i));
    }
    await on.epochs(signers[0], 'acknowledge', proposalId, 0b0001n);
    await on.epochs(signers[0], 'acknowledge', proposalId, 0b1101n);
    state = await fold();
    const onChain = await gateway.contracts.epochManager.read.proposal([proposalId]);
    const folded = state.proposals.get(proposalId)!;
    expect([1, 2, 3, 4].map((dealer) => folded.roots.get(dealer) ?? word(0))).toEqual(
      onChain.roots,
    );
    expect([...folded.acknowledgements]).toEqual([[1, 0b1101n]]);
    expect(folded.deadline).toBe(BigInt(onChain.deadline));

    await on.epochs(signers[1], 'acknowledge', proposalId, 0b1101n);
    await on.epochs(signers[3], 'acknowledge', proposalId, 0b1101n);
    state = await fold();
    const epoch = only(state.epochs);
    const { epochId } = epoch;
    expect(epoch).toMatchObject({ phase: 'frozen', standing: [1, 3, 4], proposalId });
    expect([...epoch.roots]).toEqual([
      [1, word(100)],
      [3, word(102)],
      [4, word(103)],
    ]);
    expect(state.proposals.get(proposalId)).toMatchObject({ phase: 'frozen', epochId });
    const roots = [word(100), word(102), word(103)];
    expect(epoch.setupDigest).toBe(
      keccak256(
        encodeAbiParameters(
          [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'bytes32[]' }],
          [proposalId, 0b1101n, roots],
        ),
      ),
    );

    for (const signer of signers.slice(0, 3)) await on.epochs(signer, 'confirm', epochId);
    await on.keys(governor, 'addParameterSet', parameterSet);
    state = await fold();
    expect(state.epochs.get(epochId)).toMatchObject({ phase: 'active' });
    expect([...state.epochs.get(epochId)!.confirmations]).toEqual([1, 2, 3]);
    const { parameterSetId } = only(state.parameterSets);
    expect(only(state.parameterSets)).toMatchObject(parameterSet);

    const requested = await on.keys(governor, 'requestKey', epochId, parameterSetId, word(1));
    state = await fold();
    const { keyId } = only(state.keys);
    expect(only(state.keys)).toMatchObject({
      ...{ epochId, parameterSetId, requester: governor.address, state: 'pending' },
      ...{ digest: undefined, height: requested.blockNumber },
    });
    await node.control.increaseTime({ seconds: 3_601 });
    const again = await on.keys(governor, 'requestKey', epochId, parameterSetId, word(1));
    expect(only((await fold()).keys).height).toBe(again.blockNumber);
    const publicKey = { epochId, requestId: keyId, result: word(77) };
    const keyQuorum = await quorum('keyManager', publicKey);
    await on.keys(account(9), 'recordPublicKey', keyId, word(77), ...keyQuorum);

    await on.ciphertexts(governor, 'register', keyId, word(50), 2, 15, account(9).address);
    state = await fold();
    const { handle } = only(state.ciphertexts);
    expect(only(state.keys)).toMatchObject({ state: 'active', digest: word(77) });
    expect(only(state.ciphertexts)).toMatchObject({
      ...{ keyId, digest: word(50), limbs: 2, noiseBits: 15, owner: account(9).address },
      ...{ origin: 'vouched', proofDigest: undefined, source: undefined },
    });
    await evaluationKeys(epochId, keyId);
    await userDecryption(epochId, keyId, handle);
    await switching(epochId, parameterSetId, keyId, handle);

    await on.decryptions(account(9), 'requestPublicDecryption', [handle], [0, 5], word(1));
    state = await fold();
    const { requestId } = only(state.requests);
    expect(only(state.requests)).toMatchObject({
      ...{ epochId, keyId, handles: [handle], positions: [0, 5], state: 'pending' },
      ...{ requester: account(9).address, result: undefined },
    });
    const result = concat([numberToHex(3, { size: 8 }), numberToHex(4, { size: 8 })]);
    const answer = { epochId, requestId, result };
    const answerQuorum = await quorum('decryptionGateway', answer);
    const response = [requestId, result, ...answerQuorum];
    await on.decryptions(account(9), 'respond', ...response);
    await fees(epochId, requestId, result, handle);

    await on.keys(governor, 'retireKey', keyId);
    await on.epochs(governor, 'retire', epochId);
    state = await fold();
    expect(state.requests.get(requestId)).toMatchObject({ state: 'answered', result });
    expect(state.keys.get(keyId)?.state).toBe('retired');
    expect(only(state.epochs).phase).toBe('retired');
    expect(only(state.proposals).phase).toBe('retired');

    const proposal = await on.epochs(governor, 'proposeEpoch', addresses, word(2));
    await node.control.increaseTime({ seconds: 86_401 });
    const abandoned = [...(await fold()).proposals.values()].find(
      ({ height }) => height === proposal.blockNumber,
    )!;
    await on.epochs(account(9), 'abandonProposal', abandoned.proposalId);
    const registry = { address: gateway.addresses.operatorRegistry, abi: operatorRegistryAbi };
    const leave = { ...registry, functionName: 'beginUnbonding', args: [] };
    await send(node, operators[0], leave);
    await node.control.increaseTime({ seconds: 14 * 86_400 });
    await send(node, operators[0], { ...registry, functionName: 'withdraw', args: [] });
    await send(node, operators[1], leave);
    state = await fold();
    expect(state.proposals.get(abandoned.proposalId)?.phase).toBe('abandoned');
    expect(addresses.map((a) => state.operators.get(operatorKey(a))?.state)).toEqual([
      'withdrawn',
      'unbonding',
      'bonded',
      'bonded',
    ]);
  });

  async function evaluationKeys(epochId: Hex, keyId: Hex): Promise<void> {
    const asked = await on.evaluationKeys(governor, 'requestGaloisKeys', keyId, [3, 9, 2047]);
    let entry = only((await fold()).evaluationKeys);
    const { requestId } = entry;
    expect(entry).toMatchObject({
      ...{ epochId, keyId, kind: 'galois', targetKeyId: undefined, elements: [3, 9, 2047] },
      ...{ requester: governor.address, state: 'pending', digests: undefined },
      height: asked.blockNumber,
    });
    const digests = concat([word(1), word(2), word(3)]);
    const result = { epochId, requestId, result: digests };
    const signed = await quorum('evaluationKeyManager', result);
    const record = [requestId, digests, ...signed];
    await on.evaluationKeys(account(9), 'recordEvaluationKeys', ...record);
    entry = only((await fold()).evaluationKeys);
    expect(entry).toMatchObject({ state: 'recorded', digests, height: asked.blockNumber });

    // A request that has expired is made again, and its height is that of the second time.
    await on.evaluationKeys(governor, 'requestRelinearizationKey', keyId);
    await node.control.increaseTime({ seconds: 3_601 });
    const again = await on.evaluationKeys(governor, 'requestRelinearizationKey', keyId);
    const kinds = [...(await fold()).evaluationKeys.values()];
    expect(kinds.map(({ kind, elements }) => [kind, elements])).toEqual([
      ['galois', [3, 9, 2047]],
      ['relinearization', []],
    ]);
    const { timestamp } = await node.client.getBlock({ blockNumber: again.blockNumber });
    expect(kinds[1]).toMatchObject({ height: again.blockNumber, deadline: timestamp + 3_600n });
  }

  async function userDecryption(epochId: Hex, keyId: Hex, handle: Hex): Promise<void> {
    const owner = account(9);
    const { timestamp } = await node.client.getBlock();
    const permit = {
      ...{ user: owner.address, publicKeyDigest: word(60), handles: [handle], owner: zeroAddress },
      ...{ validFrom: timestamp, validUntil: timestamp + 86_400n },
    };
    const signature = await owner.signTypedData(permitTypedData(gateway, permit));
    const request = [permit, signature, [handle], true, word(1)];
    const asked = await on.decryptions(account(8), 'requestUserDecryption', ...request);
    const entry = only((await fold()).userDecryptions);
    const { requestId } = entry;
    expect(entry).toMatchObject({
      ...{ epochId, keyId, handles: [handle], packed: true, user: owner.address },
      ...{ publicKeyDigest: word(60), requester: account(8).address, height: asked.blockNumber },
      ...{ state: 'pending', result: undefined },
    });
    const answer = { epochId, requestId, result: word(61) };
    const signed = await quorum('decryptionGateway', answer);
    const response = [requestId, word(61), ...signed];
    await on.decryptions(account(9), 'respond', ...response);
    const answered = { state: 'answered', result: word(61) };
    expect(only((await fold()).userDecryptions)).toMatchObject(answered);
  }

  async function switching(epochId: Hex, set: Hex, keyId: Hex, handle: Hex): Promise<void> {
    await on.keys(governor, 'requestKey', epochId, set, word(2));
    const keys = [...(await fold()).keys.values()];
    const targetKeyId = keys.at(-1).keyId;
    const publicKey = { epochId, requestId: targetKeyId, result: word(78) };
    const keyQuorum = await quorum('keyManager', publicKey);
    await on.keys(account(9), 'recordPublicKey', targetKeyId, word(78), ...keyQuorum);
    await on.evaluationKeys(governor, 'allowSwitching', keyId, targetKeyId);
    await on.evaluationKeys(governor, 'requestSwitchingKey', keyId, targetKeyId);
    const entry = [...(await fold()).evaluationKeys.values()].at(-1);
    expect(entry).toMatchObject({ kind: 'switching', keyId, targetKeyId, elements: [] });
    const { requestId } = entry;
    const result = { epochId, requestId, result: word(79) };
    const signed = await quorum('evaluationKeyManager', result);
    await on.evaluationKeys(account(9), 'recordEvaluationKeys', requestId, word(79), ...signed);
    const registration = [handle, targetKeyId, word(51), 2, 15];
    await on.ciphertexts(governor, 'registerSwitched', ...registration);
    const switched = [...(await fold()).ciphertexts.values()].at(-1);
    expect(switched).toMatchObject({ keyId: targetKeyId, digest: word(51), source: handle });
    await on.decryptions(governor, 'grantUnits', targetKeyId, account(9).address, 5n);
  }

  async function fees(epochId: Hex, requestId: Hex, result: Hex, handle: Hex): Promise<void> {
    const signers = async () => (await fold()).escrowed.get(requestId)?.answer?.signers;
    const request = () => gateway.contracts.decryptionGateway.read.request([requestId]);
    const escrowed = (await fold()).escrowed.get(requestId);
    expect(escrowed).toMatchObject({
      ...{ requestId, contract: 'decryptionGateway', epochId },
      answer: { resultHash: keccak256(result), signers: 7n },
    });
    expect([BigInt((await request()).signers), (await request()).resultHash]).toEqual([
      escrowed?.answer?.signers,
      escrowed?.answer?.resultHash,
    ]);
    await on.decryptions(fourth, 'attest', [requestId]);
    expect(await signers()).toBe(15n);
    expect((await request()).signers).toBe(15);
    await node.control.increaseTime({ seconds: 601 });
    const before = [...(await fold()).escrowed.keys()];
    await on.decryptions(account(9), 'settle', [requestId]);
    const after = [...(await fold()).escrowed.keys()];
    expect(after).toEqual(before.filter((id) => id !== requestId));
    expect(before.length).toBeGreaterThan(1);

    // What expires is refunded, and may be asked for again under its id.
    const again = [[handle], [1], word(2)] as const;
    const asked = await on.decryptions(account(9), 'requestPublicDecryption', ...again);
    const latest = async () => [...(await fold()).requests.values()].at(-1);
    expect(await latest()).toMatchObject({ state: 'pending', height: asked.blockNumber });
    const { requestId: id } = await latest();
    expect((await fold()).escrowed.get(id)).toMatchObject({ answer: undefined });
    await node.control.increaseTime({ seconds: 3_601 });
    await on.decryptions(account(8), 'expire', [id]);
    expect(await latest()).toMatchObject({ state: 'expired', requestId: id });
    expect((await fold()).escrowed.has(id)).toBe(false);
    const repeated = await on.decryptions(account(9), 'requestPublicDecryption', ...again);
    expect(await latest()).toMatchObject({
      ...{ state: 'pending', requestId: id, height: repeated.blockNumber },
    });
    expect((await fold()).escrowed.get(id)?.deadline).toBe((await latest()).deadline);
    await node.control.increaseTime({ seconds: 3_601 });
    // With its fee still in escrow: one transaction says that it expired and that it is pending.
    const thrice = await on.decryptions(account(9), 'requestPublicDecryption', ...again);
    expect(await latest()).toMatchObject({ state: 'pending', height: thrice.blockNumber });
  }

  it('has every log decoded', async () => {
    const logs = await node.client.getLogs({
      address: Object.values<Address>({ ...gateway.addresses }),
      fromBlock: 0n,
    });
    const plain = logs.map(({ address, topics, data, logIndex }) => ({
      ...{ address, topics, data, logIndex },
    }));
    expect(decodeGatewayLogs(gateway.addresses, plain)).toHaveLength(logs.length);
  });
});

describe('decodeGatewayLogs', () => {
  it('leaves out what no contract of ours would emit', () => {
    const { operatorRegistry } = gateway.addresses;
    const log = { address: operatorRegistry, topics: [], data: '0x' as Hex, logIndex: 0 };
    const logs = [
      log,
      { ...log, topics: [word(1)] },
      { ...log, topics: [keccak256('0x'), word(1)], data: '0x12' as Hex },
      { ...log, address: governor.address },
    ];
    expect(decodeGatewayLogs(gateway.addresses, logs)).toEqual([]);
  });
});

describe('apply', () => {
  it('ignores events about what it has not seen', () => {
    const state = emptyState();
    const id = word(1);
    const events = [
      { eventName: 'DealingPosted', args: { proposalId: id, dealer: 1, root: id } },
      {
        eventName: 'EpochFrozen',
        args: { proposalId: id, epochId: id, setupDigest: id, standingBitmap: 7n },
      },
      { eventName: 'EpochActivated', args: { epochId: id } },
      { eventName: 'ProposalAbandoned', args: { proposalId: id, epochId: id } },
      { eventName: 'PublicKeyRecorded', args: { keyId: id, digest: id, signerBitmap: 7n } },
      {
        eventName: 'PublicDecryptionResponded',
        args: { requestId: id, result: '0x', signerBitmap: 7n },
      },
      {
        eventName: 'UserDecryptionResponded',
        args: { requestId: id, result: '0x', signerBitmap: 7n },
      },
      {
        eventName: 'EvaluationKeysRecorded',
        args: { requestId: id, digests: '0x', signerBitmap: 7n },
      },
      { eventName: 'RequestsAttested', args: { requestIds: [id], signer: account(5).address } },
      { eventName: 'RequestsSettled', args: { requestIds: [id] } },
      { eventName: 'RequestExpired', args: { requestId: id, payer: account(5).address } },
    ] satisfies GatewayEvent[];
    for (const event of events) apply(state, event, 1n);
    expect(state).toEqual(emptyState());
  });

  it('lets only what is pending expire, and only members attest', () => {
    const state = emptyState();
    const [keyId, epochId] = [word(1), word(2)];
    const key = { keyId, epochId, parameterSetId: word(3), requester: account(5).address };
    const requested = { ...key, label: word(0), deadline: 1n };
    apply(state, { eventName: 'KeyRequested', args: requested }, 1n);
    const recorded = { keyId, digest: word(4), signerBitmap: 7n };
    apply(state, { eventName: 'PublicKeyRecorded', args: recorded }, 2n);
    const attested = { requestIds: [keyId], signer: account(5).address };
    apply(state, { eventName: 'RequestsAttested', args: attested }, 3n);
    expect(state.escrowed.get(keyId)?.answer?.signers).toBe(7n);
    const expired = { requestId: keyId, payer: account(5).address };
    apply(state, { eventName: 'RequestExpired', args: expired }, 4n);
    expect(state.keys.get(keyId)?.state).toBe('active');
  });

  it('replaces entries and never changes them', () => {
    const state = emptyState();
    const [proposalId, root] = [word(1), word(2)];
    const proposed = { proposalId, operators: [], signers: [], salt: word(0), deadline: 1n };
    apply(state, { eventName: 'EpochProposed', args: proposed }, 1n);
    const before = state.proposals.get(proposalId)!;
    apply(state, { eventName: 'DealingPosted', args: { proposalId, dealer: 1, root } }, 2n);
    expect(before.roots.size).toBe(0);
    expect(state.proposals.get(proposalId)?.roots.get(1)).toBe(root);
  });
});

it.each([
  [0n, []],
  [1n, [1]],
  [0b1101n, [1, 3, 4]],
  [1n << 12n, [13]],
])('indicesOf(%s)', (bitmap, indices) => {
  expect(indicesOf(bitmap)).toEqual(indices);
});
