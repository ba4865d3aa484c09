import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import type { TransactionSender } from '../../../../workers/chain/sender.ts';
import { startMetrics, type Metrics } from '../../../../workers/operator/metrics/metrics.ts';
import { ShareFault } from '../../../../workers/operator/openings/collect.ts';
import { observers } from '../../../../workers/operator/observing.ts';
import { ProgressBook } from '../../../../workers/operator/progress.ts';
import { blame } from '../../../../workers/operator/context.ts';
import { encrypt, handle, keyId, LATER, startWithKey, until } from '../duties/at-work.ts';
import { digestOf } from '../fake-chain.ts';
import { recordingLog, startCommittee, type TestOperator } from '../harness.ts';
import { watched } from '../health/watching.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function started(): Metrics {
  const metrics = startMetrics();
  closers.push(() => metrics.stop());
  return metrics;
}

/** Serves an operator's metrics. @returns the URL */
async function serving(
  metrics: Metrics,
  operator: TestOperator,
  fake: Parameters<typeof watched>[1],
): Promise<string> {
  const sources = await watched(operator, fake);
  const listen = { host: '127.0.0.1', port: 0 };
  const { address, close } = await metrics.serve(sources, listen, recordingLog(operator.lines));
  closers.push(close);
  return `http://127.0.0.1:${address.port}`;
}

/** Samples of a text, by name and labels. */
async function scrape(url: string): Promise<Map<string, number>> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('the metrics', () => {
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  const row = /^\| `((?:keyloom|process)_\w+)` +\| (\w+) +\| ([^|]*)\|/gmu;
  const documented = [...page.matchAll(row)].map(([, name, type, labels]) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }));

  it('are those of docs/metrics.md, with their types and labels', async () => {
    const { chain, at } = await startCommittee(4);
    const metrics = started();
    await serving(metrics, at(1), chain);
    const registered = metrics.registry.getMetricsAsArray().map((metric) => {
      const { labelNames } = metric as unknown as { labelNames: string[] };
      const { name, type } = metric as unknown as { name: string; type: string };
      return { name, type, labels: [...labelNames] };
    });
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }): number =>
      a.name! < b.name! ? -1 : 1;
    expect(registered.sort(byName)).toEqual(documented.sort(byName));
  });

  it('have base units and totals in their names', () => {
    const unit = /_(seconds|bytes|wei|units)(_total)?$/;
    for (const { name, type } of documented) {
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (/_(ms|milliseconds|gwei|megabytes|kb)(_|$)/.test(name)) expect(name).toMatch(unit);
    }
  });
});

/** An operator that submits nothing. */
const watching = {
  sender: { submit: () => new Promise(() => undefined) } as unknown as TransactionSender,
};

describe('an operator at work', () => {
  it('counts requests, steps, openings and faults', async () => {
    const metrics = started();
    const committee = await startWithKey({
      observe: (index) => (index === 1 ? [metrics.observer] : []),
      // Nobody is faster than operator 1: it goes through all steps.
      deviations: { 2: watching, 3: watching, 4: watching },
    });
    const { chain, at, epochId } = committee;
    await encrypt(committee, 5n);
    const requestId = digestOf('request');
    const args = { requestId, epochId, keyId, handles: [handle], positions: [], deadline: LATER };
    chain.emit({ eventName: 'PublicDecryptionRequested', args });
    await until(at(1), () => at(1).chain.now.requests.get(requestId)?.state !== 'pending');
    const { context } = at(1);
    while (context.progress.get(requestId)?.state !== 'recorded') await new Promise(setImmediate);
    blame(context, at(1).seat(), requestId, digestOf('o'), 3, ShareFault.WRONG_SHARE);

    const samples = await scrape(await serving(metrics, at(1), chain));
    for (const kind of ['key', 'decryption']) {
      expect(samples.get(`keyloom_requests_total{kind="${kind}",state="agreeing"}`)).toBe(1);
      expect(samples.get(`keyloom_requests_total{kind="${kind}",state="recorded"}`)).toBe(1);
      expect(samples.get(`keyloom_requests_in_state{kind="${kind}",state="recorded"}`)).toBe(1);
      expect(samples.get(`keyloom_openings_total{kind="${kind}"}`)).toBe(1);
      for (const step of ['agree', 'share', 'collect', 'certify', 'submit'])
        expect(samples.get(`keyloom_step_seconds_count{kind="${kind}",step="${step}"}`)).toBe(1);
    }
    expect(samples.get('keyloom_step_seconds_count{kind="decryption",step="load"}')).toBe(2);
    expect(samples.get('keyloom_faults_total{index="3",reason="WRONG_SHARE"}')).toBe(1);
    expect(samples.get('keyloom_epochs{phase="active",shares="held"}')).toBe(1);
    expect(samples.get('keyloom_peers_known')).toBe(3);
    expect(samples.get('keyloom_quorum_margin')).toBe(1);
    expect(samples.get('keyloom_network_bytes_total{direction="sent"}')).toBeGreaterThan(1_000);
    expect(samples.get('keyloom_chain_head')).toBe(chain.blocks.length);
    expect(samples.get('keyloom_signer_balance_wei')).toBe(1e18);
    expect(samples.get('keyloom_ready')).toBe(1);
    expect(samples.get('keyloom_health_reason{reason="CLOCK_OFF"}')).toBe(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
  });

  it('counts work that waits, fees and answers', async () => {
    const metrics = started();
    const { at, chain } = await startCommittee(4);
    const { context } = at(1);
    const end = Promise.withResolvers<void>();
    const never = new AbortController().signal;
    const work = [1, 2, 3].map(() => context.lateSlots.run(never, () => end.promise));
    metrics.observer.onFees?.('settle', 7);
    context.host.admission.refuse('a peer', 'rate');
    metrics.onAnswer({ method: 'GET', route: '/blobs', status: 200 });
    const url = await serving(metrics, at(1), chain);
    const samples = await scrape(url);
    expect(samples.get('keyloom_queue_taken{queue="late"}')).toBe(2);
    expect(samples.get('keyloom_queue_waiting{queue="late"}')).toBe(1);
    expect(samples.get('keyloom_fee_requests_total{work="settle"}')).toBe(7);
    expect(samples.get('keyloom_network_refusals_total{limit="rate"}')).toBe(1);
    expect(samples.get('keyloom_network_refusals_total{limit="frames"}')).toBe(0);
    expect(samples.get('keyloom_queue_waiting{queue="verification"}')).toBe(0);
    expect(samples.get('keyloom_verification_wait_seconds')).toBe(0);
    const answers = 'keyloom_http_requests_total{method="GET",route="/blobs",status="200"}';
    expect(samples.get(answers)).toBe(1);
    end.resolve();
    await Promise.all(work);
    expect((await scrape(url)).get('keyloom_queue_taken{queue="late"}')).toBe(0);
  });

  it('measures no step that failed', async () => {
    const { observer, registry } = started();
    const told = observers([observer]);
    const book = new ProgressBook(8, told.onRequest);
    book.begin(digestOf('request'), 'decryption');
    const entry = book.get(digestOf('request'))!;
    told.onStep(entry, 'collect')(new Error('aborted'));
    expect(await registry.metrics()).not.toContain('step="collect"');
    told.onStep(entry, 'collect')();
    const text = await registry.metrics();
    expect(text).toContain('keyloom_step_seconds_count{kind="decryption",step="collect"} 1\n');
    expect(text).toContain('keyloom_openings_total{kind="decryption"} 1\n');
  });

  it('shows that the endpoint is away, and no head that it does not know', async () => {
    const metrics = started();
    const { at, chain } = await startCommittee(4);
    chain.outage = new Error('no endpoint');
    const samples = await scrape(await serving(metrics, at(1), chain));
    expect(samples.get('keyloom_chain_reachable')).toBe(0);
    expect(samples.has('keyloom_chain_head')).toBe(false);
    expect(samples.get('keyloom_health_reason{reason="RPC_UNREACHABLE"}')).toBe(1);
    expect(samples.get('keyloom_ready')).toBe(0);
  });
});

describe('the listener', () => {
  it('has nothing but the metrics', async () => {
    const { at, chain } = await startCommittee(4);
    const url = await serving(started(), at(1), chain);
    expect((await fetch(`${url}/healthz`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
  });
});
