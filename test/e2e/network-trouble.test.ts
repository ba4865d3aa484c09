import { join } from 'node:path';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { PASSPHRASE } from '../../devnet/operator-process.ts';
import { freePort } from '../../devnet/ports.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { delay } from '../../sdk/polling.ts';
import { requestOf } from '../../tasks/support/decryptions.ts';
import { Status } from '../../workers/net/exchange/frames.ts';
import { RefusalCode } from '../../workers/net/exchange/index.ts';
import { limitNames } from '../../workers/net/host/index.ts';
import { defaultLimits } from '../../workers/net/limits.ts';
import { SAID_EVERY_MS } from '../../workers/operator/seldom.ts';
import { loadIdentity } from '../../workers/store/keystore.ts';
import { Flooder, FrameFlag, frameHeader, FrameType } from '../faults/flood.ts';
import { Relays, type Conditions } from '../faults/relay.ts';
import { Cluster } from './cluster.ts';

// Four real operators (t=1) whose connections to each other go through relays. None is restarted.

let cluster: Cluster;
let relays: Relays;
let metricsPort: number;
let next = 1n;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  relays = await Relays.start(cluster.operators);
  metricsPort = await freePort();
  await Promise.all(
    cluster.operators.map(({ index }) =>
      cluster.restart(index, {
        env: relays.environmentOf(index),
        ...(index === 1 && { settings: { metrics: { port: metricsPort } } }),
      }),
    ),
  );
});
afterEach(() => relays.heal());
afterAll(async () => {
  await cluster.close();
  await relays.close();
});

/** A round trip; what comes back is what was encrypted. */
async function serve(): Promise<void> {
  onTestFailed(() => cluster.keepLogs());
  const value = next++;
  expect((await cluster.roundTrip.run({ scalar: value })).decrypted).toEqual([value]);
}

describe('as long as at most t operators are affected, requests go on', () => {
  it.each<[string, Conditions]>([
    ['a partition that drops', { cut: 'black-hole' }],
    ['a partition that refuses', { cut: 'refuse' }],
    ['a latency of 200 ms', { latencyMs: 200 }],
    ['a latency of 1 s', { latencyMs: 1_000 }],
    ['a loss of one segment in five', { loss: 0.2 }],
  ])('%s', async (_, conditions) => {
    relays.around([4], conditions);
    await serve();
  });

  it('an operator that takes connections and reads nothing', async () => {
    for (const index of [1, 2, 3]) relays.set(index, 4, { stalled: true });
    await serve();
  });

  it('an operator that is heard and hears nobody', async () => {
    for (const index of [1, 3, 4]) relays.set(index, 2, { cut: 'black-hole' });
    await serve();
  });
});

it('serves with 200 ms and loss everywhere', async () => {
  relays.around([1, 2, 3, 4], { latencyMs: 200, loss: 0.02 });
  await serve();
});

describe('with more than t operators cut off nothing is answered, and it goes on by itself', () => {
  /** Has a request be stuck at operators that wait for others in vain, then heals. */
  async function stuck(at: readonly number[], waitingFor: readonly number[]): Promise<void> {
    onTestFailed(() => cluster.keepLogs());
    const value = next++;
    const { roundTrip } = cluster;
    const registered = await roundTrip.register({ scalar: value });
    const requestId = await roundTrip.request(registered, { scalar: value });
    for (const index of at) await waitsFor(index, requestId, waitingFor);
    const gateway = await cluster.devnet.as(user);
    expect((await requestOf(gateway, requestId)).state).toBe('Pending');
    relays.heal();
    await waitUntil('the request is answered', async () =>
      (await requestOf(gateway, requestId)).state === 'Answered' ? true : undefined,
    );
    await serve();
  }

  const waitsFor = (index: number, requestId: Hex, others: readonly number[]): Promise<true> =>
    waitUntil(`operator ${index} waits for ${others.join(' and ')}`, async () => {
      const waitingFor = (await cluster.view(index, requestId))?.waitingFor ?? [];
      return others.every((other) => waitingFor.includes(other)) ? true : undefined;
    });

  it('two operators behind a firewall', async () => {
    relays.around([3, 4], { cut: 'black-hole' });
    await stuck([1, 2], [3, 4]);
  });

  it('two operators that refuse connections', async () => {
    relays.around([3, 4], { cut: 'refuse' });
    await stuck([1, 2], [3, 4]);
  });

  it('two halves', async () => {
    relays.between([1, 2], [3, 4], { cut: 'black-hole' });
    await stuck([1, 2], [3, 4]);
  });
});

it('outlasts a storm of reconnections without joining in', async () => {
  onTestFailed(() => cluster.keepLogs());
  const value = next++;
  const { roundTrip } = cluster;
  const registered = await roundTrip.register({ scalar: value });
  const before = relays.total().dials;
  const began = performance.now();
  // Every connection breaks when something is said on it, and those that are quiet break, too.
  relays.around([1, 2, 3, 4], { reset: 0.2 });
  relays.reset();
  const requestId = await roundTrip.request(registered, { scalar: value });
  await waitUntil('everybody has dialled often', () =>
    relays.total().dials - before >= 60 ? true : undefined,
  );
  const elapsed = performance.now() - began;
  const dials = relays.total().dials - before;
  // Of each ordered pair: waits of 100 ms that double up to 5 s, from the start.
  const { backoffMs, maxBackoffMs } = defaultLimits;
  const most = Math.log2(maxBackoffMs / backoffMs) + 2 + elapsed / maxBackoffMs;
  expect(dials).toBeLessThanOrEqual(12 * most);
  relays.heal();
  const gateway = await cluster.devnet.as(user);
  await waitUntil('the request is answered', async () =>
    (await requestOf(gateway, requestId)).state === 'Answered' ? true : undefined,
  );
  await serve();
});

it('serves while a member floods it on all protocols', async () => {
  onTestFailed(() => cluster.keepLogs());
  const [victim, member] = [cluster.operator(1), cluster.operator(4)];
  const saying = (): number =>
    victim
      .log()
      .split('\n')
      .filter((line) => line.includes('a peer asks for more')).length;
  await member.stop();
  const { peerKey } = await loadIdentity(
    join(member.folder, 'identity.json'),
    PASSPHRASE.KEYLOOM_PASSPHRASE,
  );
  const flooder = await Flooder.start(victim.multiaddr, peerKey);
  const before = await metrics();
  const [began, said] = [performance.now(), saying()];
  const answers: string[] = [];
  const flood = new AbortController();
  const flooding = (async () => {
    while (!flood.signal.aborted) {
      const connection = await flooder.dial().catch(() => delay(100, flood.signal));
      if (connection === undefined) continue;
      const asked = Array.from({ length: 200 }, () =>
        flooder.ask(connection, '/keyloom/setup/1', new Uint8Array(98)).catch(() => []),
      );
      for (const answer of await Promise.all(asked)) answers.push(answer.join());
      const pings = Array.from({ length: 20 }, (_, id) =>
        frameHeader(FrameType.ping, FrameFlag.syn, 0, id),
      );
      flooder.send(pings);
    }
  })();
  await waitUntil('it is told that it asks too much', () =>
    answers.includes([Status.refused, RefusalCode.busy].join()) ? true : undefined,
  );
  await serve();
  flood.abort();
  await flooding;
  await flooder.stop();
  const after = await metrics();
  expect(after('keyloom_network_refusals_total{limit="rate"}')).toBeGreaterThan(0);
  await waitUntil('it is cut', async () =>
    (await metrics())('keyloom_network_refusals_total{limit="frames"}') > 0 ? true : undefined,
  );
  // Connections to a member are few, and each line of a log comes once in a while.
  const descriptors = 'process_open_fds';
  expect(after(descriptors)).toBeLessThanOrEqual(before(descriptors) + 32);
  const most = limitNames.length * (1 + (performance.now() - began) / SAID_EVERY_MS);
  expect(saying()).toBeGreaterThan(said);
  expect(saying() - said).toBeLessThanOrEqual(most);
});

/** Looks up samples of operator 1, by name and labels. */
async function metrics(): Promise<(sample: string) => number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const samples = new Map(text.split('\n').map((line) => line.split(' ') as [string, string]));
  return (sample) => Number(samples.get(sample));
}
