import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatePrivateKey } from 'viem/accounts';
import { afterAll, describe, expect, it } from 'vitest';

import { freePort } from '../../devnet/ports.ts';
import { root } from '../../scripts/solidity.ts';
import { generatePeerKey } from '../../workers/net/host/index.ts';
import { DEFAULT_PORTS } from '../../workers/operator/init/settings.ts';
import { insecureFastKdf } from '../../workers/store/encryption.ts';
import { createIdentity } from '../../workers/store/keystore.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'keyloom-packaging-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const packageJson = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  engines: { node: string };
};
const unit = read('packaging/keyloom-operator.service');
const compose = read('packaging/compose.yaml');

/** A free port for each that an operator has. */
async function freePorts(): Promise<Record<string, string>> {
  const names = Object.keys(DEFAULT_PORTS);
  const ports = await Promise.all(names.map(async (name) => [name, String(await freePort())]));
  return Object.fromEntries(ports) as Record<string, string>;
}

/** Values of a setting of the unit. */
const settings = (key: string): string[] =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gmu'))].map(([, value = '']) => value);

/** Instructions of the Containerfile, without comments, by stage. */
const stages = read('packaging/Containerfile')
  .replaceAll(/^#.*\n/gmu, '')
  .replaceAll('\\\n', ' ')
  .split(/^(?=FROM )/mu)
  .filter(Boolean)
  .map((stage) => stage.split('\n').filter(Boolean));

const argumentsOf = (stage: readonly string[], instruction: string): string[] =>
  stage.flatMap((line) =>
    line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : [],
  );

describe('the unit', () => {
  const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

  it.runIf(hasAnalyze)('is one to systemd, without a warning', () => {
    const copy = join(folder, 'keyloom-operator.service');
    writeFileSync(copy, unit.replace('/usr/bin/node', process.execPath));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', copy], {
      encoding: 'utf8',
    });
    expect(verified.stderr.split('\n').filter((line) => line.includes('keyloom'))).toEqual([]);
    expect(verified.status).toBe(0);
  });

  it('has sections and settings, each of which is set once', () => {
    const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const keys = lines.filter((line) => !/^\[(Unit|Service|Install)\]$/u.test(line));
    expect(keys.filter((line) => !/^[A-Z][A-Za-z]+=/u.test(line))).toEqual([]);
    const names = keys.map((line) => line.split('=')[0]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ['LimitCORE', '0'],
    ['MemorySwapMax', '0'],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
    ['CapabilityBoundingSet', ''],
    ['StateDirectory', 'keyloom'],
    ['User', 'keyloom'],
  ])('has %s=%s', (key, value) => {
    expect(settings(key)).toEqual([value]);
  });

  it('runs the program that there is, with a passphrase that is a credential', () => {
    const [command = ''] = settings('ExecStart');
    const [, program = '', ...args] = command.split(' ');
    expect(existsSync(join(root, program.replace('/opt/keyloom/', '')))).toBe(true);
    expect(args).toEqual([
      ...['start', '--config', '/var/lib/keyloom/operator.json'],
      ...['--passphrase-file', '${CREDENTIALS_DIRECTORY}/passphrase'],
    ]);
    expect(settings('LoadCredential')).toEqual(['passphrase:/etc/keyloom/passphrase']);
  });

  it('runs as a user that is made', () => {
    expect(read('packaging/keyloom.sysusers')).toMatch(/^u keyloom /u);
  });
});

describe('the container file', () => {
  const [build, image] = stages;

  it('has a Node that runs the program', () => {
    const least = /^>=(\d+)/u.exec(packageJson.engines.node)?.[1];
    for (const stage of stages) {
      const version = /node:(\d+)/u.exec(stage[0] ?? '')?.[1];
      expect(Number(version)).toBeGreaterThanOrEqual(Number(least));
      expect(Number(version)).toBe(Number(process.versions.node.split('.')[0]));
    }
  });

  it('copies what there is and runs no install scripts', () => {
    for (const copied of argumentsOf(build, 'COPY'))
      for (const source of copied.split(' ').slice(0, -1))
        expect(existsSync(join(root, source))).toBe(true);
    for (const command of argumentsOf(build, 'RUN'))
      if (command.startsWith('npm')) expect(command).toContain('--ignore-scripts');
  });

  it('keeps the packages that the program imports', () => {
    const imports = globSync('workers/**/*.ts', {
      cwd: root,
      exclude: ['workers/kernels/assembly/**'],
    })
      .flatMap((file) => [...read(file).matchAll(/(?:from|import\() ?'(@?[a-z][\w./:@-]*)'/gu)])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    const kept = Object.keys(packageJson.dependencies);
    expect([...new Set(imports)].filter((name) => !kept.includes(name))).toEqual([]);
  });

  it('builds, step by step, an image whose program starts', async () => {
    const [context, target] = [join(folder, 'build'), join(folder, 'image')];
    for (const copied of argumentsOf(build, 'COPY')) {
      const sources = copied.split(' ');
      const to = sources.pop()!;
      for (const source of sources)
        cpSync(join(root, source), join(context, to === './' ? source : to), {
          recursive: true,
          // What is not in a clean checkout is made by the next step.
          filter: (path) => !path.endsWith('workers/kernels/build'),
        });
    }
    symlinkSync(join(root, 'node_modules'), join(context, 'node_modules'));
    for (const command of argumentsOf(build, 'RUN').filter((line) => line.startsWith('node ')))
      execFileSync(process.execPath, command.split(' ').slice(1), { cwd: context });
    for (const copied of argumentsOf(image, 'COPY')) {
      const [, from = '', to = ''] = copied.split(' ');
      const source = join(context, from.replace('/build/', ''));
      cpSync(source, join(target, to), { recursive: true, verbatimSymlinks: true });
    }

    const [entry = ''] = argumentsOf(image, 'ENTRYPOINT');
    const [, program = ''] = JSON.parse(entry) as string[];
    const env = { ...process.env, KEYLOOM_PASSPHRASE: 'packaging' };
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [program, ...args], { cwd: target, env, encoding: 'utf8' });
    expect(run('--help').stdout).toContain('doctor');
    // Nobody listens there, so that nothing is made.
    const [rpcUrl, gateway] = ['http://127.0.0.1:1', `0x${'11'.repeat(20)}`];
    const init = ['init', '--folder', join(folder, 'operator'), '--rpc', rpcUrl];
    init.push('--gateway', gateway, '--host', '127.0.0.1', '--endpoint', 'http://127.0.0.1:1');
    for (const [name, port] of Object.entries(await freePorts())) init.push(`--${name}`, port);
    expect(run(...init).stderr).toContain('CHAIN_RPC_UNREACHABLE');
    const identity = join(folder, 'identity.json');
    const keys = { signerKey: generatePrivateKey(), peerKey: await generatePeerKey() };
    await createIdentity(identity, env.KEYLOOM_PASSPHRASE, keys, { kdf: insecureFastKdf });
    const file = join(folder, 'operator.json');
    const config = { identity, dataDir: join(folder, 'data'), rpcUrls: [rpcUrl], gateway };
    writeFileSync(file, JSON.stringify({ ...config, listen: ['/ip4/127.0.0.1/tcp/9101'] }));
    const examined = run('doctor', '--config', file, '--json');
    expect(examined.status).toBe(1);
    const { checks } = JSON.parse(examined.stdout) as {
      checks: { name: string; status: string }[];
    };
    const statusOf = (name: string) => checks.find((check) => check.name === name)?.status;
    expect(statusOf('passphrase')).toBe('ok');
    expect(statusOf('rpc')).toBe('problem');
  }, 300_000);

  it('runs what the unit runs, from the same configuration', () => {
    const [command = ''] = argumentsOf(image, 'CMD');
    const args = JSON.parse(command) as string[];
    expect(args.slice(0, 3)).toEqual(['start', '--config', '/var/lib/keyloom/operator.json']);
    expect(argumentsOf(image, 'USER')).toEqual(['node']);
    expect(argumentsOf(image, 'VOLUME')).toEqual(['/var/lib/keyloom']);
    const [health = ''] = argumentsOf(image, 'HEALTHCHECK');
    const ports = Object.values(DEFAULT_PORTS).map(Number);
    expect(health).toContain(`http://127.0.0.1:${DEFAULT_PORTS['http-port']}/healthz`);
    expect(argumentsOf(image, 'EXPOSE')).toEqual([ports.map((port) => `${port}/tcp`).join(' ')]);
  });
});

describe('the compose file', () => {
  it('names files that there are, and those that the owner makes', () => {
    expect(compose).toContain('dockerfile: packaging/Containerfile\n');
    expect(compose).toContain('- state:/var/lib/keyloom\n');
    expect(compose).toContain('file: ./passphrase\n');
    expect(read('.gitignore').split('\n')).toContain('packaging/passphrase');
  });

  it.each(['read_only: true', 'cap_drop: [ALL]', 'core: 0', "['no-new-privileges:true']"])(
    'has %s',
    (line) => {
      expect(compose).toContain(line);
    },
  );

  it('leaves no memory to swap', () => {
    const limit = (key: string): string | undefined =>
      new RegExp(`^ +${key}: (\\w+)$`, 'mu').exec(compose)?.[1];
    expect(limit('mem_limit')).toBeDefined();
    expect(limit('memswap_limit')).toBe(limit('mem_limit'));
  });
});
