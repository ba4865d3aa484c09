import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Address, Hex } from 'viem';

import { fetchHealth, type Health } from '../tasks/support/operators.ts';
import { projectRoot } from './chain.ts';
import { DevnetError, DevnetErrorCode } from './errors.ts';
import { freePort } from './ports.ts';
import { exitedError, type Exit, type ManagedProcess } from './process.ts';
import { waitUntil, type WaitOptions } from './wait.ts';
import type { Workspace } from './workspace.ts';

/** The honest operator program. */
const OPERATOR_PROGRAM = join(projectRoot, 'workers/operator/main.ts');
/** The same with a malicious conduct: a test program. */
const TWIN_PROGRAM = join(projectRoot, 'test/twins/operator.ts');

/** Protects keys that are worth nothing: the devnet is gone with its process. */
export const PASSPHRASE = { KEYLOOM_PASSPHRASE: 'keyloom devnet' };

/** What of an operator is registered: a part of its registration.json. */
export interface OperatorIdentity {
  signer: Address;
  peerId: string;
  peerIdBytes: Hex;
}

export interface OperatorPorts {
  http: number;
  p2p: number;
}

/** What all operators of one devnet have in common. */
export interface Surroundings {
  workspace: Workspace;
  rpcUrl: string;
  gateway: Address;
}

export interface StartOptions {
  /** Name of a malicious conduct in test/twins; absent: the honest program. */
  conduct?: string;
  /** Other endpoints than the chain's own, for example one that lies. */
  rpcUrls?: readonly string[];
  /** Added to its configuration. */
  settings?: Readonly<Record<string, unknown>>;
  /** Added to its environment. */
  env?: Readonly<Record<string, string>>;
}

/** One operator: a folder with its identity and data, and a process that comes and goes. */
export class OperatorProcess {
  /** Committee index, from 1. */
  readonly index: number;
  readonly identity: OperatorIdentity;
  readonly folder: string;
  /** Base URL of its HTTP interface. */
  readonly endpoint: string;
  readonly multiaddr: string;
  readonly logFile: string;
  readonly ports: OperatorPorts;
  readonly #surroundings: Surroundings;
  #process: ManagedProcess | undefined;

  private constructor(
    index: number,
    identity: OperatorIdentity,
    folder: string,
    ports: OperatorPorts,
    surroundings: Surroundings,
  ) {
    this.index = index;
    this.identity = identity;
    this.folder = folder;
    this.endpoint = `http://127.0.0.1:${ports.http}`;
    this.multiaddr = `/ip4/127.0.0.1/tcp/${ports.p2p}`;
    this.logFile = join(surroundings.workspace.folder, `operator-${index}.log`);
    this.ports = ports;
    this.#surroundings = surroundings;
  }

  /** Makes the operator's folder with the operator program's own `init`. */
  static async create(
    index: number,
    ports: OperatorPorts,
    surroundings: Surroundings,
  ): Promise<OperatorProcess> {
    const folder = folderOf(index, surroundings);
    const { rpcUrl, gateway } = surroundings;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        ...[OPERATOR_PROGRAM, 'init', '--folder', folder, '--json'],
        ...['--rpc', rpcUrl, '--gateway', gateway, '--host', '127.0.0.1'],
        ...['--endpoint', `http://127.0.0.1:${ports.http}`],
        ...['--p2p-port', String(ports.p2p), '--http-port', String(ports.http)],
        ...['--metrics-port', String(await freePort())],
      ],
      { env: { ...process.env, ...PASSPHRASE } },
    );
    return new OperatorProcess(index, parseIdentity(stdout), folder, ports, surroundings);
  }

  /** The same operator on another machine: in a folder that has its identity and data, at other ports. */
  movedTo(folder: string, ports: OperatorPorts): OperatorProcess {
    return new OperatorProcess(this.index, this.identity, folder, ports, this.#surroundings);
  }

  /** Its configuration; each start writes it anew. */
  get configFile(): string {
    return join(this.folder, 'operator.json');
  }

  /** Starts the process on the folder's data. It need not be healthy yet when this returns. */
  start(options: StartOptions = {}): void {
    const { workspace, rpcUrl, gateway } = this.#surroundings;
    const { configFile } = this;
    const config = {
      identity: 'identity.json',
      dataDir: 'data',
      rpcUrls: options.rpcUrls ?? [rpcUrl],
      gateway,
      listen: [this.multiaddr],
      http: { host: '127.0.0.1', port: this.ports.http },
      confirmations: 1,
      pollMs: 100,
      submitDelayMs: 2_000,
      settleEveryMs: 2_000,
      // Each block's time is at least a second later, and tests move the clock.
      health: { clockSeconds: 2 ** 31 },
      ...options.settings,
    };
    writeFileSync(configFile, JSON.stringify(config, null, 2));
    const { conduct } = options;
    this.#process = workspace.start(`operator-${this.index}`, {
      args: [
        ...[
          conduct === undefined ? OPERATOR_PROGRAM : TWIN_PROGRAM,
          'start',
          '--config',
          configFile,
        ],
        ...(conduct === undefined ? [] : ['--conduct', conduct]),
      ],
      env: { ...PASSPHRASE, ...options.env },
    });
  }

  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** How the process ends, while there is one. */
  get exited(): Promise<Exit> | undefined {
    return this.#process?.exited;
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** SIGTERM; returns the exit code, 0 where it stopped cleanly. */
  async stop(): Promise<number | null | undefined> {
    const exit = await this.#process?.stop();
    this.#process = undefined;
    return exit?.code;
  }

  /** Throws away everything but the identity, as if the disk had been replaced. */
  loseData(): void {
    rmSync(join(this.folder, 'data'), { recursive: true, force: true });
  }

  /** Everything the process has logged, over all its lives. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /**
   * Waits until the operator says of itself what `accept` wants to hear.
   *
   * @throws DevnetError PROCESS_EXITED if the process ends instead, DEADLINE_PASSED
   */
  waitForHealth(
    what: string,
    accept: (health: Health) => boolean,
    options: WaitOptions = {},
  ): Promise<Health> {
    return waitUntil(
      `operator ${this.index} is ${what}`,
      async () => {
        const exit = this.#process?.exit();
        if (exit !== undefined) throw exitedError(`operator-${this.index}`, this.logFile, exit);
        const health = await fetchHealth(this.endpoint).catch(() => undefined);
        return health !== undefined && accept(health) ? health : undefined;
      },
      options,
    );
  }

  /**
   * {@link waitForHealth}: it can serve, as far as it depends on itself. Others may be away, and one that
   * was slashed keeps its seat.
   */
  waitHealthy(options: WaitOptions = {}): Promise<Health> {
    const others = ['SLASHED', 'PEERS_UNREACHABLE'];
    return this.waitForHealth(
      'healthy',
      ({ reasons }) => reasons.every((reason) => others.includes(reason)),
      options,
    );
  }
}

const folderOf = (index: number, { workspace }: Surroundings): string =>
  join(workspace.folder, `operator-${index}`);

function parseIdentity(output: string): OperatorIdentity {
  try {
    return JSON.parse(output) as OperatorIdentity;
  } catch (cause) {
    throw new DevnetError(
      DevnetErrorCode.OPERATOR_ANSWER_INVALID,
      'The operator program printed no identity.',
      { cause },
    );
  }
}
