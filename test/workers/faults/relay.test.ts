import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { Relays } from '../../faults/relay.ts';

// Two operators, each an echo; bytes of 1 to 2 cross the relay of (1, 2), their echo that of (2, 1).

const servers: Server[] = [];
const sockets: Socket[] = [];
let relays: Relays;

beforeEach(async () => {
  for (let count = 0; count < 2; count++) {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  relays = await Relays.start(
    servers.map((server, position) => ({
      index: position + 1,
      multiaddr: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    })),
  );
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  await relays.close();
});

function dial(): Socket {
  const ports = JSON.parse(relays.environmentOf(1).KEYLOOM_TEST_RELAYS) as Record<string, number>;
  const socket = connect({ host: '127.0.0.1', port: Object.values(ports)[0] });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

async function echoed(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  while (received < length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    chunks.push(chunk);
    received += chunk.length;
  }
  return Buffer.concat(chunks);
}

it('delays and loses without changing what arrives', async () => {
  relays.set(1, 2, { latencyMs: 20, loss: 0.2, bytesPerSecond: 8 << 20 });
  relays.set(2, 1, { latencyMs: 5, loss: 0.2 });
  const sent = Buffer.alloc(300_000, 0).map((_, position) => position % 251);
  const socket = dial();
  socket.write(sent);
  expect((await echoed(socket, sent.length)).equals(Buffer.from(sent))).toBe(true);
  expect(relays.counts(1, 2)).toEqual({ dials: 1, bytes: sent.length, open: 1 });
  expect(relays.counts(2, 1)).toEqual({ dials: 0, bytes: sent.length, open: 0 });
  socket.end();
  await closed(socket);
});

it.each(['black-hole', 'stalled'] as const)(
  'holds back in a %s and goes on after it',
  async (how) => {
    const socket = dial();
    socket.write('a');
    await echoed(socket, 1);
    relays.set(1, 2, how === 'stalled' ? { stalled: true } : { cut: how });
    socket.write('b');
    const late = dial();
    late.write('c');
    // A stalled side takes the connection, a black hole hides that anybody dials.
    if (how === 'stalled') await once(servers[1], 'connection');
    else await once(late, 'connect');
    expect(relays.counts(1, 2).bytes).toBe(1);
    relays.heal();
    expect((await echoed(socket, 1)).toString()).toBe('b');
    expect((await echoed(late, 1)).toString()).toBe('c');
  },
);

it('refuses, resets and lets through again', async () => {
  const socket = dial();
  socket.write('a');
  await echoed(socket, 1);
  relays.around([2], { cut: 'refuse' });
  await closed(socket);
  await closed(dial());
  relays.heal();
  const again = dial();
  again.write('b');
  await echoed(again, 1);
  expect(relays.reset(2, 1)).toBe(1);
  await closed(again);
  relays.set(1, 2, { reset: 1 });
  const broken = dial();
  broken.write('c');
  await closed(broken);
  expect(relays.counts(1, 2)).toEqual({ dials: 4, bytes: 2, open: 0 });
});

it('has a process that knows nothing of it go through', async () => {
  const { port } = servers[1].address() as AddressInfo;
  const script = `import net from 'node:net'; net.connect({ host: '127.0.0.1', port: ${port} }, function () { this.end('x') })`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...relays.environmentOf(1) },
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(relays.counts(1, 2).dials).toBe(1);
});
