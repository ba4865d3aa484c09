import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';

import { ChainMonitor } from '../../../../workers/operator/health/chain.ts';
import { HealthReport } from '../../../../workers/operator/health/health.ts';
import { PeerMonitor } from '../../../../workers/operator/health/peers.ts';
import { HealthReason, isAlive, isReady } from '../../../../workers/operator/health/reasons.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee, testSignal } from '../harness.ts';
import { limits, watched } from './watching.ts';

/** A block in which nothing of the gateway happens. */
const quiet = {
  eventName: 'EpochConfirmed',
  args: { epochId: digestOf('none'), member: 1 },
} as const;

async function watchedCommittee(changes: Parameters<typeof watched>[2] = {}) {
  const { chain: fake, at, ...committee } = await startCommittee(4);
  return { fake, at, ...committee, ...(await watched(at(1), fake, changes)) };
}

describe('an operator', () => {
  it('is well if it can serve', async () => {
    const { health, epochId, fake } = await watchedCommittee();
    expect(await health.report()).toMatchObject({
      ...{ status: 'ok', reasons: [], ready: true, alive: true },
      ...{ head: BigInt(fake.blocks.length), height: BigInt(fake.blocks.length) },
      epochs: [{ epochId, reachable: 4 }],
      signerAccount: { balanceWei: 10n ** 18n, transactionWei: 2_000_000n },
    });
  });

  it('is starting until it has read the chain and tried its peers', async () => {
    const { at } = await startCommittee(4);
    const { context, chain, seats } = at(1);
    const chainMonitor = new ChainMonitor(context, 0, () => undefined);
    const peerMonitor = new PeerMonitor(context, seats);
    const sources = { context, chain, seats, chainMonitor, peerMonitor, dataDir: tmpdir(), limits };
    const health = new HealthReport(sources);
    expect((await health.report()).reasons).toEqual([HealthReason.STARTING]);
    await peerMonitor.try(testSignal());
    expect((await health.report()).reasons).toEqual([HealthReason.STARTING]);
  });

  it('says that the endpoint does not answer, and does not count that as a standstill', async () => {
    const { fake, pass, reasons } = await watchedCommittee();
    fake.outage = new Error('no endpoint');
    await pass(1_000);
    expect(await reasons()).toEqual([HealthReason.RPC_UNREACHABLE]);
    fake.outage = undefined;
    fake.emit(quiet);
    await pass(1);
    expect(await reasons()).not.toContain(HealthReason.RPC_UNREACHABLE);
  });

  it('says which of several endpoints fails, and serves with the others', async () => {
    const { fake, reasons, health } = await watchedCommittee();
    const seen = { answered: 1, failed: 0, head: 7n, inUse: false, fault: undefined };
    fake.endpointStatuses = [{ ...seen, index: 0, host: 'a.test', fault: 'STUCK' }];
    // A single one that fails is told of in other words.
    expect(await reasons()).toEqual([]);
    fake.endpointStatuses.push({ ...seen, index: 1, host: 'b.test', inUse: true });
    expect(await health.report()).toMatchObject({
      ...{ reasons: [HealthReason.RPC_ENDPOINT_FAILING], ready: true },
      endpoints: [
        { index: 0, host: 'a.test', fault: 'STUCK', inUse: false },
        { index: 1, host: 'b.test', fault: undefined, inUse: true },
      ],
    });
  });

  it('says that the chain stands still, until there is a block', async () => {
    const { fake, pass, read, reasons } = await watchedCommittee();
    await pass(120);
    expect(await reasons()).toEqual([]);
    await pass(1);
    expect(await reasons()).toEqual([HealthReason.CHAIN_STALLED]);
    fake.emit(quiet);
    fake.timestamp += 121n;
    read();
    await pass(5);
    expect(await reasons()).toEqual([]);
  });

  it('is not behind because of blocks that only one endpoint claims', async () => {
    const { fake, pass, reasons, health } = await watchedCommittee();
    fake.secondedHead = BigInt(fake.blocks.length);
    fake.emit(quiet);
    await pass(5);
    await pass(61);
    expect(await reasons()).toEqual([]);
    expect((await health.report())['head']).toBe(fake.secondedHead);
  });

  it('says that it is behind the chain, until it has read what was there', async () => {
    const { fake, pass, read, reasons } = await watchedCommittee();
    fake.emit(quiet);
    await pass(5);
    fake.emit(quiet);
    await pass(60);
    expect(await reasons()).toEqual([]);
    await pass(1);
    expect(await reasons()).toEqual([HealthReason.CHAIN_LAGGING]);
    read();
    await pass(1);
    expect(await reasons()).toEqual([]);
  });

  it.each([31, -31])('says that its clock is off by %d s, by a block that is new', async (off) => {
    const { fake, pass, read, clocks, reasons } = await watchedCommittee();
    fake.emit(quiet);
    read();
    fake.timestamp = BigInt(clocks.now / 1_000 + 5 - off);
    await pass(5);
    expect(await reasons()).toEqual([HealthReason.CLOCK_OFF]);
    fake.emit(quiet);
    read();
    fake.timestamp = BigInt(clocks.now / 1_000 + 5);
    await pass(5);
    expect(await reasons()).toEqual([]);
  });

  it('does not take an old block for a clock that is off', async () => {
    const { fake, pass, read, reasons } = await watchedCommittee();
    fake.outage = new Error('no endpoint');
    await pass(3_600);
    fake.outage = undefined;
    fake.emit(quiet);
    read();
    await pass(1);
    expect(await reasons()).toEqual([]);
  });

  it('says that its signer cannot pay for a transaction', async () => {
    const { fake, pass, reasons } = await watchedCommittee();
    fake.balanceWei = 2_000_000n - 1n;
    await pass(30);
    expect(await reasons()).toEqual([HealthReason.BALANCE_LOW]);
    fake.balanceWei += 1n;
    await pass(30);
    expect(await reasons()).toEqual([]);
  });

  it('says that too few peers of an active epoch can be reached, until they are back', async () => {
    const { at, peerMonitor, reasons, pass } = await watchedCommittee();
    const gone = [at(3).context.host, at(4).context.host];
    await gone[0].stop();
    const without = async (count: number): Promise<void> => {
      while (at(1).context.host.connectedPeers().size !== count) await new Promise(setImmediate);
    };
    await without(2);
    await peerMonitor.try(testSignal());
    expect(await reasons()).toEqual([]);
    await gone[1].stop();
    await without(1);
    await peerMonitor.try(testSignal());
    await pass(1);
    expect(await reasons()).toEqual([HealthReason.PEERS_UNREACHABLE]);
  });

  it('says that its disk is nearly full', async () => {
    const { reasons } = await watchedCommittee({ freeBytes: 2 ** 50 });
    expect(await reasons()).toEqual([HealthReason.DISK_LOW]);
  });

  it('says that its disk refuses writes, until it does not', async () => {
    const { at, reasons } = await watchedCommittee();
    const { disk } = at(1).context.store;
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    disk.failed('blobs', 'blobs', full);
    disk.succeeded('state');
    expect(await reasons()).toEqual([HealthReason.DISK_FAILING]);
    disk.succeeded('blobs');
    expect(await reasons()).toEqual([]);
  });

  it('says that a part of it has ended', async () => {
    const { health } = await watchedCommittee();
    health.workStopped('evidence');
    health.workStopped('follower');
    const { reasons, alive, ready, stopped } = await health.report();
    expect(reasons).toEqual([HealthReason.WORK_STOPPED]);
    expect([alive, ready, stopped]).toEqual([false, false, 'evidence']);
  });
});

describe('reasons', () => {
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| (yes|no) /gmu)];

  it('are those of docs/metrics.md, with what to do', () => {
    expect(rows.map(([, code]) => code).sort()).toEqual(Object.values(HealthReason).sort());
  });

  it('say there whether the operator serves all the same', () => {
    const documented = rows.map(([, code, serves]) => [code, serves === 'yes']);
    const real = rows.map(([, code]) => [code, isReady([code as HealthReason])]);
    expect(documented).toEqual(real);
  });

  it('leave it alive but for what a restart mends', () => {
    const dead = Object.values(HealthReason).filter((reason) => !isAlive([reason]));
    expect(dead).toEqual([HealthReason.WORK_STOPPED]);
  });
});
