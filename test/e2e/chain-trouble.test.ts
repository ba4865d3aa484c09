import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { waitUntil } from '../../devnet/wait.ts';
import { RpcProxy } from '../faults/rpc-proxy.ts';
import { Cluster } from './cluster.ts';

// Every operator has trouble with an endpoint, each of another kind. Operator 1 has no other endpoint.

let cluster: Cluster;
let proxies: RpcProxy[];
const proxy = (index: number): RpcProxy => proxies[index - 1];

beforeAll(async () => {
  cluster = await Cluster.start(4);
  const { rpcUrl } = cluster.devnet.chain;
  proxies = await Promise.all([1, 2, 3, 4].map(() => RpcProxy.start(rpcUrl)));
  await Promise.all(
    [1, 2, 3, 4].map((index) => {
      const { url } = proxy(index);
      return cluster.restart(index, { rpcUrls: index === 1 ? [url] : [url, rpcUrl] });
    }),
  );
  return async () => {
    await cluster.close();
    await Promise.all(proxies.map((one) => one.close()));
  };
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** What an operator says of the first of its endpoints. */
const firstEndpoint = async (index: number) => {
  const answer = await fetch(`${cluster.operator(index).endpoint}/healthz`);
  const { endpoints } = (await answer.json()) as {
    endpoints: { fault?: string; inUse: boolean }[];
  };
  return endpoints[0];
};

it('endpoints that are down, hang, stand still and lie about the head keep nobody waiting', async () => {
  await proxy(1).fail({ kind: 'down' });
  await proxy(2).fail({ kind: 'hanging' });
  await proxy(3).freeze();
  proxy(4).lies.head({ kind: 'ahead', blocks: 5n });
  const { decrypted, signers } = await cluster.roundTrip.run({ scalar: 21n });
  expect(decrypted).toEqual([21n]);
  expect(signers).toEqual([2, 3, 4]);
  expect(await firstEndpoint(2)).toMatchObject({ fault: 'UNREACHABLE', inUse: false });
  expect(await firstEndpoint(3)).toMatchObject({ fault: 'STUCK', inUse: false });
  // A head that nobody else has is not believed; for the rest the endpoint is as good as another.
  expect(await firstEndpoint(4)).toMatchObject({ inUse: true });
});

it('an operator comes back with its only endpoint', async () => {
  await proxy(1).forward();
  await cluster.operator(1).waitHealthy();
  await cluster.operator(2).stop();
  const { decrypted, signers } = await cluster.roundTrip.run({ scalar: 22n });
  expect(decrypted).toEqual([22n]);
  expect(signers).toEqual([1, 3, 4]);
});

it('an operator whose first endpoint serves another chain starts with the second', async () => {
  proxy(2).lies.chainId(1n);
  await proxy(2).forward();
  const { rpcUrl } = cluster.devnet.chain;
  const operator = cluster.operator(2);
  await operator.stop();
  operator.start({ rpcUrls: [proxy(2).url, rpcUrl] });
  await operator.waitForHealth('well but for the endpoint', ({ reasons }) =>
    reasons.every((reason) => reason === 'RPC_ENDPOINT_FAILING'),
  );
  expect(await firstEndpoint(2)).toMatchObject({ fault: 'WRONG_CHAIN', inUse: false });
  await operator.stop();
});

it('a reorganisation takes an answered request away, and nobody signs anything else for it', async () => {
  const { roundTrip } = cluster;
  const { control } = cluster.devnet.chain;
  const secret = { scalar: 23n };
  const ciphertext = await roundTrip.register(secret);
  // Up to here all is confirmed, and stays. Blocks come by themselves: Hardhat's node dies where it has to
  // go back to one that it was told to mine.
  const { client } = cluster.governor;
  const registered = await client.getBlockNumber();
  await waitUntil('the registration is confirmed', async () =>
    (await client.getBlockNumber()) > registered + 2n ? true : undefined,
  );
  const snapshot = await control.snapshot();
  const gone = await roundTrip.decrypt(ciphertext, secret);
  const before = [1, 3, 4].map(signedBy);

  await control.revert({ id: snapshot });
  for (const index of [1, 3, 4])
    await waitUntil(`operator ${index} has read the other branch`, () =>
      cluster.operator(index).log().includes('the chain was reorganised') ? true : undefined,
    );

  // Another request for the same opens the same sharing under the same id: it has to be the same share.
  const again = await roundTrip.decrypt(ciphertext, secret);
  expect(again.requestId).not.toBe(gone.requestId);
  expect(again.decrypted).toEqual([23n]);
  expect((await roundTrip.run({ scalar: 24n })).decrypted).toEqual([24n]);
  // Nobody found two different things signed.
  expect(await cluster.faults(again.requestId, 0)).toEqual([]);
  [1, 3, 4].forEach((index, at) => {
    const after = signedBy(index);
    for (const [id, what] of before[at]) expect(after.get(id)).toBe(what);
    expect(after.size).toBeGreaterThan(before[at].size);
  });
});

/** What an operator has durably committed to: roots of shares by opening, hashes of results by request. */
function signedBy(index: number): Map<string, string> {
  const file = join(cluster.operator(index).folder, 'data', 'state.db');
  using database = new DatabaseSync(file, { readOnly: true });
  const rows = database
    .prepare('SELECT id, root AS what FROM openings UNION ALL SELECT request, hash FROM results')
    .all();
  return new Map(rows.map(({ id, what }) => [id as string, what as string]));
}
