import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

import type { ListenAddress } from '../config/config.ts';
import type { Log } from '../log.ts';

/** Scrapers that are connected at once: few, and none of them a stranger. */
const CONNECTIONS = 16;
const TIMEOUT_MS = 30_000;

/**
 * Serves `GET /metrics` in Prometheus' text format, on a listener of its own: what it says is for whoever
 * runs the operator.
 *
 * @param refresh brings the metrics up to date; once for all who ask at the same time
 */
export async function serveMetrics(
  registry: Registry,
  refresh: () => Promise<void>,
  listen: ListenAddress,
  log: Log,
): Promise<{ address: AddressInfo; close: () => Promise<void> }> {
  let current: Promise<string> | undefined;
  const render = async (): Promise<string> => {
    await refresh();
    return registry.metrics();
  };
  const server = createServer({ requestTimeout: TIMEOUT_MS }, (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    current ??= render().finally(() => (current = undefined));
    current.then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => {
        log.warn({ err: error }, 'metrics cannot be given');
        response.writeHead(500).end();
      },
    );
  });
  server.maxConnections = CONNECTIONS;
  server.setTimeout(TIMEOUT_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
