import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

import { generatePeerKey, peerIdOf } from '../../../../workers/net/host/index.ts';

// Two hosts in network namespaces of their own, and a link between them that goes down and up: what the
// relays of test/faults imitate, with the system's own TCP.

const names = ['a', 'b'].map((side) => `keyloom-${process.pid}-${side}`);
const links = ['a', 'b'].map((side) => `kl${process.pid % 100_000}${side}`);
const ADDRESSES = ['10.177.0.1', '10.177.0.2'];
const program = fileURLToPath(new URL('../../../faults/host-program.ts', import.meta.url));

const ip = (...args: string[]): Buffer => execFileSync('ip', args, { stdio: 'pipe' });

/** Why there can be no namespaces here. */
function lacking(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('ip', ['-V']).status !== 0) return 'needs `ip` of iproute2';
  const probe = `keyloom-${process.pid}-probe`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'no namespaces can be made';
  ip('netns', 'del', probe);
  return undefined;
}

const why = lacking();
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const name of names) spawnSync('ip', ['netns', 'del', name]);
});

/** Runs a host in a namespace. @returns its lines */
function run(name: string, key: Uint8Array, ...args: string[]): Interface {
  const env = { ...process.env, KEYLOOM_TEST_PEER_KEY: Buffer.from(key).toString('hex') };
  const command = ['netns', 'exec', name, process.execPath, program, ...args];
  const child = spawn('ip', command, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return createInterface({ input: child.stdout });
}

async function until(lines: Interface, accept: (line: string) => boolean): Promise<string> {
  for (;;) {
    const [line] = (await once(lines, 'line')) as [string];
    if (accept(line)) return line;
  }
}

it.skipIf(why !== undefined)(
  `a host learns that a link is down, and asks again once it is up${why === undefined ? '' : ` (${why})`}`,
  async () => {
    for (const name of names) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      links[0],
      'netns',
      names[0],
      'type',
      'veth',
      'peer',
      'name',
      links[1],
      'netns',
      names[1],
    );
    for (const [at, name] of names.entries()) {
      ip('-n', name, 'addr', 'add', `${ADDRESSES[at]}/24`, 'dev', links[at]);
      ip('-n', name, 'link', 'set', links[at], 'up');
    }
    const [asking, answering] = [await generatePeerKey(), await generatePeerKey()];
    const address = `/ip4/${ADDRESSES[1]}/tcp/4001`;
    await until(run(names[1], answering, 'answer', address), (line) => line === 'listening');
    const lines = run(names[0], asking, 'ask', peerIdOf(answering), address);
    await until(lines, (line) => line === 'answered 1');
    ip('-n', names[1], 'link', 'set', links[1], 'down');
    // Its questions stay open, until a probe of the connection finds nobody.
    await until(lines, (line) => line === 'NET_PEER_UNREACHABLE 0');
    ip('-n', names[1], 'link', 'set', links[1], 'up');
    expect(await until(lines, (line) => line.startsWith('answered'))).toBe('answered 1');
  },
);
