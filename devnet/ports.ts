import { createServer } from 'node:net';

import { DevnetError, DevnetErrorCode } from './errors.ts';

/**
 * Ports are taken from below the range the system uses for outgoing connections: a port found free
 * stays free while its operator is down, unless another program asks for it by number.
 */
const FIRST_PORT = 20_000;
const PORT_COUNT = 10_000;
let next = (process.pid * 61) % PORT_COUNT;

/** A port on 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_COUNT; attempt++) {
    const port = FIRST_PORT + next;
    next = (next + 1) % PORT_COUNT;
    if (await isFree(port)) return port;
  }
  throw new DevnetError(DevnetErrorCode.PORT_TAKEN, 'No free port is left on 127.0.0.1.');
}

/** @throws DevnetError PORT_TAKEN if somebody listens on `port` */
export async function requireFree(port: number, purpose: string): Promise<void> {
  if (await isFree(port)) return;
  throw new DevnetError(
    DevnetErrorCode.PORT_TAKEN,
    `Port ${port} (${purpose}) is in use. Stop the program that listens there and try again.`,
    { metadata: { port, purpose } },
  );
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
    server.close(() => resolve(true)),
  );
  return promise;
}
