import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';

import { projectRoot } from '../../devnet/chain.ts';
import { PASSPHRASE } from '../../devnet/operator-process.ts';
import { freePort } from '../../devnet/ports.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { Cluster } from './cluster.ts';

// Real processes with metrics and traces, as docs/metrics.md has them.

let cluster: Cluster;
let metricsUrl: string;
/** Trace ids by operator, as they arrived. */
const traces = new Map<string, Set<string>>();
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: {
        resource: { attributes: { key: string; value: { stringValue?: string } }[] };
        scopeSpans: { spans: { traceId: string }[] }[];
      }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      const { value } = resource.attributes.find(({ key }) => key === 'service.instance.id')!;
      const ids = traces.get(value.stringValue!) ?? new Set();
      for (const { spans } of scopeSpans) for (const { traceId } of spans) ids.add(traceId);
      traces.set(value.stringValue!, ids);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  cluster = await Cluster.start(4);
  const metricsPort = await freePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const tracing = { url: `http://127.0.0.1:${port}/v1/traces` };
  const metrics = { port: metricsPort };
  await cluster.restart(1, { settings: { metrics, tracing } });
  await cluster.restart(2, { settings: { tracing } });
});
afterAll(async () => {
  await cluster.close();
  receiver.close();
});

it('an operator that serves says so, counts what it does and is found well by its doctor', async () => {
  onTestFailed(() => cluster.keepLogs());
  const operator = cluster.operator(1);
  await waitUntil('it is ready', async () => {
    const { status } = await fetch(`${operator.endpoint}/readyz`);
    return status === 200 ? true : undefined;
  });
  const { requestId } = await cluster.roundTrip.run({ scalar: 7n });
  await waitUntil('operators 1 and 2 are done', async () => {
    const views = await Promise.all([1, 2].map((index) => cluster.view(index, requestId)));
    return views.every((view) => view?.state === 'recorded') ? true : undefined;
  });

  const text = await (await fetch(metricsUrl)).text();
  expect(text).toContain('keyloom_requests_total{kind="decryption",state="recorded"} 1\n');
  expect(text).toContain('keyloom_ready 1\n');
  expect(text).toMatch(/^keyloom_chain_head \d+$/m);

  const program = join(projectRoot, 'workers/operator/main.ts');
  const { stdout } = spawnSync(
    process.execPath,
    [program, 'doctor', '--config', operator.configFile, '--json'],
    { env: { ...process.env, ...PASSPHRASE }, encoding: 'utf8' },
  );
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
  // What the machine of a test allows is its own affair.
  const machine = ['data-directory', 'disk', 'open-files', 'core-dumps', 'swap'];
  expect(checks.filter(({ name, status }) => status !== 'ok' && !machine.includes(name))).toEqual(
    [],
  );

  for (const index of [1, 2]) await cluster.operator(index).stop();
  for (const index of [1, 2]) {
    const ids = traces.get(cluster.operator(index).identity.signer);
    expect([...(ids ?? [])]).toContain(requestId.slice(2, 34));
  }
});
