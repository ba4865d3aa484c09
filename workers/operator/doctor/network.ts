import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect as dial, createServer, type Server } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { zeroHash, type Address } from 'viem';

import type { GatewayClient } from '../../chain/client.ts';
import { committeeOf } from '../../sharing/committee.ts';
import type { ListenAddress, OperatorConfig } from '../config/config.ts';
import { indexIn } from '../committee/membership.ts';
import { ok, problem, type Finding } from './checks.ts';

const TIMEOUT_MS = 5_000;
/** `EpochPhase` of the contract: frozen and active. */
const LIVE = [2, 3];

/** True if the operator of this signer answers at the configuration's HTTP address. */
export async function isRunning({ http }: OperatorConfig, signer: Address): Promise<boolean> {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[http.host] ?? http.host;
  return (await signerAt(`http://${host}:${http.port}`).catch(() => undefined)) === signer;
}

async function signerAt(endpoint: string): Promise<unknown> {
  const url = new URL('healthz', endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return ((await answer.json()) as { signer?: unknown }).signer;
}

/** Host and TCP port of a multiaddr. */
function hostAndPort(address: string): ListenAddress {
  const [host, tcp] = multiaddr(address).getComponents();
  return { host: host?.value ?? '', port: Number(tcp?.value ?? 0) };
}

const listeners = ({ http, metrics, listen }: OperatorConfig): Record<string, ListenAddress> => ({
  http,
  ...(metrics && { metrics }),
  ...Object.fromEntries(listen.map((address) => [address, hostAndPort(address)])),
});

async function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** All ports are free, or the operator has them already. */
export async function ports(config: OperatorConfig, isUp: boolean): Promise<Finding> {
  if (isUp) return ok('held by the running operator');
  for (const [name, address] of Object.entries(listeners(config))) {
    const server = createServer();
    try {
      await listening(server, address);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const what = code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${code})`;
      return problem(
        `${name}: ${address.host}:${address.port} ${what}`,
        'stop what has it, or set another address',
      );
    } finally {
      server.close();
    }
  }
  return ok('free');
}

/** Bytes that the other side sends first. @throws what keeps it from connecting */
async function greeting({ host, port }: ListenAddress): Promise<string> {
  const socket = dial({ host, port, signal: AbortSignal.timeout(TIMEOUT_MS) });
  try {
    await once(socket, 'connect');
    const data = once(socket, 'data').then(([chunk]) => String(chunk));
    return await data;
  } finally {
    socket.destroy();
  }
}

/** Throws what keeps it from connecting. */
async function reach({ host, port }: ListenAddress): Promise<void> {
  const socket = dial({ host, port, signal: AbortSignal.timeout(TIMEOUT_MS) });
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

/**
 * What the operator announces leads here. If it is not running, something that listens in its place has to
 * be reached.
 */
export async function announced(
  config: OperatorConfig,
  address: string,
  isUp: boolean,
): Promise<Finding> {
  const target = hostAndPort(address);
  const fix = 'forward the port, open the firewall, or announce another address';
  const refused = (error: unknown): Finding =>
    problem(`${address} is not reachable from here (${codeOf(error)})`, fix);
  if (isUp) return reach(target).then(() => ok(address), refused);
  const nonce = randomUUID();
  const servers = config.listen.map(() =>
    // Whoever else connects meanwhile may go away as it likes.
    createServer((socket) => socket.on('error', () => undefined).end(nonce)),
  );
  try {
    await Promise.all(
      servers.map((server, at) => listening(server, hostAndPort(config.listen[at]))),
    );
    if ((await greeting(target)).startsWith(nonce)) return ok(address);
    return problem(`${address} leads to something else`, fix);
  } catch (error) {
    return refused(error);
  } finally {
    for (const server of servers) server.close();
  }
}

/** The announced endpoint leads here, in the same way. */
export async function endpoint(
  { http }: OperatorConfig,
  url: string,
  signer: Address,
  isUp: boolean,
): Promise<Finding> {
  if (url === '') return ok('none is announced: only operators reach this one');
  const fix = 'check the reverse proxy and the firewall, or announce another endpoint';
  const expected = isUp ? signer : randomUUID();
  const standIn = createHttpServer((_, response) =>
    response.setHeader('connection', 'close').end(JSON.stringify({ signer: expected })),
  );
  try {
    if (!isUp) await listening(standIn, http);
    if ((await signerAt(url)) === expected) return ok(url);
    return problem(`${url} leads to something else`, fix);
  } catch (error) {
    return problem(`${url} is not reachable from here (${codeOf(error)})`, fix);
  } finally {
    standIn.close();
  }
}

/** Of each live epoch of this operator 2t+1 members, itself included, can be connected to. */
export async function peers({ contracts }: GatewayClient, signer: Address): Promise<Finding> {
  const { epochManager, operatorRegistry } = contracts;
  const seen: string[] = [];
  for (let number = 1; number < 2 ** 16; number++) {
    const epochId = await epochManager.read.epochIdOf([number]);
    if (epochId === zeroHash) break;
    const { phase, signers, operators } = await epochManager.read.epoch([epochId]);
    const own = indexIn({ signers }, signer);
    if (own === undefined || !LIVE.includes(phase)) continue;
    const away: number[] = [];
    await Promise.all(
      operators.map(async (operator, position) => {
        if (position + 1 === own) return;
        const { multiaddr: address } = await operatorRegistry.read.getOperator([operator]);
        await reach(hostAndPort(address)).catch(() => away.push(position + 1));
      }),
    );
    const list = away.sort((a, b) => a - b).join(', ');
    if (operators.length - away.length < committeeOf(operators.length).quorum)
      return problem(
        `in epoch ${number} operators ${list} cannot be reached: fewer than 2t+1 are left`,
        'check outgoing connections of this machine; then ask those operators',
      );
    seen.push(away.length === 0 ? `epoch ${number}: all` : `epoch ${number}: all but ${list}`);
  }
  return ok(seen.length === 0 ? 'no seat in a live epoch' : seen.join('; '));
}

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.name : 'UNEXPECTED';
};
