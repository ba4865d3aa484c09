import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  encodeAbiParameters,
  encodeEventTopics,
  keccak256,
  parseAbiParameters,
  type Hex,
} from 'viem';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { positionsOf, sampleSlots } from '../../devnet/round-trip.ts';
import { waitUntil } from '../../devnet/wait.ts';
import type { Registered } from '../../tasks/support/ciphertexts.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { publicDecryptionRequestId } from '../../workers/chain/ids.ts';
import type { Values } from '../../workers/fhe/client.ts';
import { describe as describeDecryption } from '../../workers/protocols/public-decryption.ts';
import type { Invention } from '../faults/rpc-lies.ts';
import { RpcProxy } from '../faults/rpc-proxy.ts';
import { Cluster, testSet } from './cluster.ts';

// Operator 3 sees the chain through an endpoint that shows it a request nobody made. If it took that
// for true, t malicious operators and it together could decrypt whatever they like.

let cluster: Cluster;
let lyingRpc: RpcProxy;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  lyingRpc = await RpcProxy.start(cluster.devnet.chain.rpcUrl);
  return async () => {
    await cluster.close();
    await lyingRpc.close();
  };
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('a request that only one operator sees moves no share', async () => {
  const { roundTrip } = cluster;
  await cluster.restart(3, { rpcUrls: [lyingRpc.url] });
  const real = { slots: sampleSlots(testSet, 30n) };
  const realCiphertext = await roundTrip.register(real);
  const before = await cluster.openedBy([3], () => roundTrip.decrypt(realCiphertext, real));
  expect(before.decrypted).toEqual(before.expected);

  const secret = { scalar: 42n };
  const secretCiphertext = await roundTrip.register(secret);
  const { requestId, invention } = await inventRequest(secretCiphertext, positionsOf(secret));
  lyingRpc.lies.invent(invention);
  const victim = await waitUntil('operator 3 waits for others to see the request', async () => {
    const view = await cluster.view(3, requestId);
    return view?.waitingFor.length === 3 ? view : undefined;
  });
  expect(victim.state).toBe('agreeing');
  expect(victim.waitingFor).toEqual([1, 2, 4]);

  // The others go on; operator 3 is out of step with them from the lie on.
  const after = await roundTrip.run({ scalar: 7n });
  expect(after.decrypted).toEqual([7n]);
  expect(after.signers).toEqual([1, 2, 4]);
  for (const index of [1, 2, 4]) expect(await cluster.view(index, requestId)).toBeUndefined();
  expect((await cluster.view(3, requestId))?.state).toBe('agreeing');

  // It has committed to no share of the secret ciphertext, while it has to one of the real request.
  await cluster.operator(3).stop();
  const committed = committedOpenings(3);
  expect(committed).toContain(openingOf(realCiphertext, real));
  expect(committed).not.toContain(openingOf(secretCiphertext, secret));
});

it('an operator that was lied to comes back when its endpoint tells the truth', async () => {
  lyingRpc.lies.repent();
  const operator = cluster.operator(3);
  operator.start({ rpcUrls: [lyingRpc.url] });
  await operator.waitHealthy();
  // Others outvote it when it next serves a request with them; then it reads the chain again.
  await waitUntil('operator 3 opens a value with the others', async () => {
    const { requestId } = await cluster.roundTrip.run({ scalar: 8n });
    const view = await cluster.view(3, requestId);
    return view !== undefined && 'opening' in view.milliseconds ? true : undefined;
  });
  await cluster.operator(1).stop();
  const { decrypted, signers } = await cluster.roundTrip.run({ scalar: 9n });
  expect(decrypted).toEqual([9n]);
  expect(signers).toEqual([2, 3, 4]);
});

/** The log of a request that the contract would accept, in a block a little ahead. */
async function inventRequest(
  { handle, keyId }: Registered,
  positions: readonly number[],
): Promise<{ requestId: Hex; invention: Invention }> {
  const { client, addresses } = cluster.governor;
  const address = addresses.decryptionGateway;
  const { epochId } = cluster.epoch;
  const { number, timestamp } = await client.getBlock();
  const salt = keccak256('0x');
  // An id that is not the hash of its content would not be believed at all.
  const requestId = publicDecryptionRequestId(cluster.governor, {
    ...{ epochId, handles: [handle], positions, salt },
    requester: user.address,
  });
  const topics = encodeEventTopics({
    abi: decryptionGatewayAbi,
    eventName: 'PublicDecryptionRequested',
    args: { requestId, epochId, keyId },
  });
  const layout = parseAbiParameters('bytes32[], uint32[], address, uint64, bytes32');
  const deadline = timestamp + 3_600n;
  const content = [[handle], [...positions], user.address, deadline, salt] as const;
  const data = encodeAbiParameters(layout, content);
  return { requestId, invention: { address, topics: topics as Hex[], data, height: number + 5n } };
}

/** The opening id under which operators would share a decryption. */
function openingOf({ bytes, keyId }: Registered, values: Values): Hex {
  const { epochId, setupDigest, committee } = cluster.epoch;
  const gateway = cluster.governor.addresses.decryptionGateway;
  const positions = positionsOf(values);
  const { id } = describeDecryption(
    { chainId: cluster.governor.chainId, gateway, epochId, setupDigest, committee },
    {
      keyId,
      generation: 0,
      set: testSet,
      ciphertexts: [bytes],
      positions: positions.length === 0 ? undefined : positions,
    },
  );
  return id;
}

/** What an operator that is not running has durably committed to. */
function committedOpenings(index: number): Hex[] {
  const file = join(cluster.operator(index).folder, 'data', 'state.db');
  using database = new DatabaseSync(file, { readOnly: true });
  return database
    .prepare('SELECT id FROM openings')
    .all()
    .map(({ id }) => id as Hex);
}
