import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { fileURLToPath } from 'node:url';

import { chance, type Chance } from './chance.ts';
import { Pipe } from './pipe.ts';

/** What the bytes from one operator to another meet with. All are 0, and nothing is cut, where absent. */
export interface Conditions {
  /** One way. */
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
  /** Probability that a segment is lost: it and all behind it come a retransmission time later. */
  readonly loss?: number;
  /** Probability, at each segment, that the connection is reset. */
  readonly reset?: number;
  /** The other side takes connections and reads nothing. */
  readonly stalled?: boolean;
  /**
   * `black-hole`: as a firewall that drops packets. Nothing arrives, new connections hang, and nobody is
   * told; TCP sends again afterwards what was under way. `refuse`: as a host without the program.
   * Connections are reset, those that there are and new ones.
   */
  readonly cut?: 'black-hole' | 'refuse';
}

/** What has gone over one ordered pair. */
export interface LinkCounts {
  /** Connections that the first began with the second. */
  readonly dials: number;
  /** Bytes that the second was given. */
  readonly bytes: number;
  /** Connections, begun by the first, that are open. */
  readonly open: number;
}

export interface Relayed {
  /** Committee index. */
  readonly index: number;
  /** `/ip4/127.0.0.1/tcp/PORT` */
  readonly multiaddr: string;
}

/** One connection through a relay. */
interface Connection {
  readonly from: Link;
  readonly near: Socket;
  readonly far: Socket;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly chance: Chance;
  conditions: Conditions;
  dials: number;
  bytes: number;
}

/**
 * TCP relays between operators of one machine, one for each ordered pair, whose conditions change while
 * they run.
 *
 * Conditions hold for what travels from the first to the second, whoever began the connection: a one-way
 * cut stops half of every connection of the two, and keeps either from beginning one. Operators go through
 * them when they are started with `environmentOf`; there is nothing in their configuration, and what the
 * registry says of addresses stays true.
 */
export class Relays {
  readonly #operators: readonly Relayed[];
  readonly #links = new Map<string, Link>();
  readonly #ports = new Map<string, number>();
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  /** Accepted, and not joined to the other side yet. */
  readonly #waiting = new Set<Socket>();
  /** Told when conditions change. */
  readonly #changed = new Set<() => void>();

  private constructor(operators: readonly Relayed[], seed: number) {
    this.#operators = operators;
    for (const [from, to] of this.#pairs()) {
      const link = { from, to, chance: chance(`${seed}/${from}/${to}`), conditions: {} };
      this.#links.set(nameOf(from, to), { ...link, dials: 0, bytes: 0 });
    }
  }

  /** @param seed of what is lost and reset */
  static async start(operators: readonly Relayed[], seed = 1): Promise<Relays> {
    const relays = new Relays(operators, seed);
    for (const [from, to] of relays.#pairs()) await relays.#listen(from, to);
    return relays;
  }

  /** What to start an operator with, so that its connections to the others go through the relays. */
  environmentOf(from: number): { NODE_OPTIONS: string; KEYLOOM_TEST_RELAYS: string } {
    const preloaded = fileURLToPath(new URL('through-relays.ts', import.meta.url));
    const map = this.#operators
      .filter(({ index }) => index !== from)
      .map(({ index, multiaddr }) => [portOf(multiaddr), this.#ports.get(nameOf(from, index))]);
    return {
      NODE_OPTIONS: `--import ${preloaded}`,
      KEYLOOM_TEST_RELAYS: JSON.stringify(Object.fromEntries(map)),
    };
  }

  /** Replaces the conditions of one ordered pair. */
  set(from: number, to: number, conditions: Conditions): void {
    this.#link(from, to).conditions = conditions;
    for (const { near, from: link } of this.#connections)
      if (joins(link, from, to) && conditions.cut === 'refuse') near.resetAndDestroy();
    for (const tell of this.#changed) tell();
  }

  /** Replaces the conditions of every pair with one operator of each group, in both directions. */
  between(some: readonly number[], others: readonly number[], conditions: Conditions): void {
    for (const [from, to] of this.#pairs()) {
      const crosses =
        (some.includes(from) && others.includes(to)) ||
        (others.includes(from) && some.includes(to));
      if (crosses) this.set(from, to, conditions);
    }
  }

  /** Replaces the conditions of all pairs that one of these operators is of. */
  around(indices: readonly number[], conditions: Conditions): void {
    this.between(
      indices,
      this.#operators.map(({ index }) => index),
      conditions,
    );
  }

  /** Forwards everything again. */
  heal(): void {
    for (const [from, to] of this.#pairs()) this.set(from, to, {});
  }

  /** Resets all connections that are open, or those of two operators. Returns how many. */
  reset(...between: [] | [number, number]): number {
    const [one, other] = between;
    const open = [...this.#connections].filter(
      ({ from }) => one === undefined || other === undefined || joins(from, one, other),
    );
    for (const { near } of open) near.resetAndDestroy();
    return open.length;
  }

  counts(from: number, to: number): LinkCounts {
    const { dials, bytes } = this.#link(from, to);
    const open = [...this.#connections].filter(({ from: link }) => link === this.#link(from, to));
    return { dials, bytes, open: open.length };
  }

  /** Sum of {@link counts} over all pairs. */
  total(): LinkCounts {
    const links = [...this.#links.values()];
    return {
      dials: links.reduce((sum, { dials }) => sum + dials, 0),
      bytes: links.reduce((sum, { bytes }) => sum + bytes, 0),
      open: this.#connections.size,
    };
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const near of this.#waiting) near.destroy();
    for (const { near, far } of this.#connections) {
      near.destroy();
      far.destroy();
    }
    await Promise.all(
      this.#servers.filter(({ listening }) => listening).map((server) => once(server, 'close')),
    );
  }

  async #listen(from: number, to: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) =>
      this.#accept(near, from, to),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    this.#ports.set(nameOf(from, to), (server.address() as AddressInfo).port);
  }

  #accept(near: Socket, from: number, to: number): void {
    const there = this.#link(from, to);
    const back = this.#link(to, from);
    there.dials += 1;
    near.on('error', () => near.destroy());
    if (there.conditions.cut === 'refuse' || back.conditions.cut === 'refuse') {
      near.resetAndDestroy();
      return;
    }
    const { multiaddr } = this.#operators.find(({ index }) => index === to)!;
    // Dialled once it gets through: a handshake needs both directions.
    const isCut = () => (there.conditions.cut ?? back.conditions.cut) !== undefined;
    const begin = () => {
      if (isCut()) return;
      giveUp();
      near.off('close', giveUp);
      const far = createConnection({
        ...{ host: '127.0.0.1', port: portOf(multiaddr), allowHalfOpen: true },
      });
      far.pause();
      this.#join({ from: there, near, far }, back);
    };
    const giveUp = () => {
      this.#waiting.delete(near);
      this.#changed.delete(begin);
    };
    this.#waiting.add(near);
    this.#changed.add(begin);
    near.once('close', giveUp);
    begin();
  }

  #join(connection: Connection, back: Link): void {
    const { from: there, near, far } = connection;
    this.#connections.add(connection);
    const pipes = [
      new Pipe(near, far, there, () => far.resetAndDestroy()),
      new Pipe(far, near, back, () => near.resetAndDestroy()),
    ];
    const tell = () => pipes.forEach((pipe) => pipe.advance());
    this.#changed.add(tell);
    far.on('error', () => far.destroy());
    const leave = () => {
      if (!near.closed || !far.closed) return;
      this.#connections.delete(connection);
      this.#changed.delete(tell);
    };
    near.once('close', leave);
    far.once('close', leave);
  }

  #link(from: number, to: number): Link {
    return this.#links.get(nameOf(from, to))!;
  }

  #pairs(): [number, number][] {
    const indices = this.#operators.map(({ index }) => index);
    return indices.flatMap((from) =>
      indices.filter((to) => to !== from).map((to): [number, number] => [from, to]),
    );
  }
}

const nameOf = (from: number, to: number): string => `${from}>${to}`;

const joins = (link: Link, one: number, other: number): boolean =>
  (link.from === one && link.to === other) || (link.from === other && link.to === one);

const portOf = (multiaddr: string): number => Number(multiaddr.split('/').at(-1));
