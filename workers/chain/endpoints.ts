import { randomInt } from 'node:crypto';
import { createPublicClient, type HttpTransportConfig, type PublicClient } from 'viem';
import { hasAlready } from './broadcast.ts';
import {
  Endpoint,
  EndpointFault,
  faultIn,
  transportOf,
  type EndpointStatus,
  type RpcQuestion,
} from './endpoint.ts';
import { HeadComparison } from './heads.ts';
import { pause } from './rpc.ts';

/** How long a request may take. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often an endpoint that is well is asked for its head. */
const PROBE_EVERY_MS = 5_000;
/** The first pause after a failure, which doubles with each, and the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** For how long a preferred endpoint has to be well again before it is used again. */
export const RETURN_AFTER_MS = 30_000;
/** For how long what an endpoint said makes it one of the last to be asked. */
const SUSPECT_MS = 60_000;

/** One endpoint, as a reader of blocks sees it. */
export interface BlockEndpoint {
  readonly client: PublicClient;
  /**
   * The part of this height that another endpoint has reached, too: all of it where no other one is well.
   * So an endpoint alone cannot make its operator take blocks for confirmed that there are not.
   */
  seconded(height: bigint): Promise<bigint>;
  /**
   * Notes that what it said cannot be: others are asked first from now on.
   *
   * @returns false if there is no other one that is well
   */
  distrust(): boolean;
}

/** Where blocks are read from. */
export interface BlockSource {
  /** The endpoint to ask now. Who reads asks the same one for all that has to fit together. */
  pick(): BlockEndpoint;
}

/** What may be changed in tests: the network, the clocks and the dice. */
export interface EndpointsOptions {
  readonly fetchFn?: HttpTransportConfig['fetchFn'];
  readonly timeoutMs?: number;
  /** A clock that nobody sets, and the time of day; in milliseconds. */
  readonly steady?: () => number;
  readonly timeOfDay?: () => number;
  /** From 0 to 1, for pauses of different length. */
  readonly random?: () => number;
  /** Told when an endpoint fails, is well again, or is used from now on. */
  readonly onChange?: (status: EndpointStatus) => void;
}

/**
 * The RPC endpoints of an operator, in order of preference. One of them is asked, until it fails; then the
 * next one that is well, without going back before the first has been well for {@link RETURN_AFTER_MS}.
 * Each is asked for its head now and then, so that no request has to find out whether it answers again.
 */
export class Endpoints implements BlockSource {
  /** Asks the endpoint in use, and the next one where that one fails. Transactions go to all. */
  readonly client: PublicClient;
  /** The chain that all of them have to serve; none that is undefined is refused. */
  chainId: bigint | undefined;
  readonly #all: readonly Endpoint[];
  readonly #options: Required<Omit<EndpointsOptions, 'fetchFn' | 'timeoutMs'>>;
  readonly #heads: HeadComparison;
  #current: Endpoint;

  constructor(urls: readonly string[], options: EndpointsOptions = {}) {
    const { fetchFn, timeoutMs, ...rest } = options;
    this.#options = {
      steady: () => performance.now(),
      timeOfDay: () => Date.now(),
      random: () => randomInt(2 ** 32) / 2 ** 32,
      onChange: () => undefined,
      ...rest,
    };
    const transport = { fetchFn, timeout: timeoutMs ?? REQUEST_TIMEOUT_MS };
    this.#all = urls.map(
      (url, index) =>
        new Endpoint(...([index, url, transport, () => this.chainId] as const), (endpoint, fault) =>
          this.#fail(endpoint, fault),
        ),
    );
    [this.#current] = this.#all as [Endpoint];
    this.#heads = new HeadComparison(this.#all);
    this.client = createPublicClient({
      transport: transportOf((question) => this.#request(question)),
      cacheTime: 0,
    });
  }

  get all(): readonly Pick<Endpoint, 'index' | 'host' | 'client'>[] {
    return this.#all;
  }

  statuses(): EndpointStatus[] {
    return this.#all.map((endpoint) => this.#statusOf(endpoint));
  }

  /** Looks after the endpoints until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((endpoint) => this.#lookAfter(endpoint, signal)));
  }

  /** Asks an endpoint for its head, and judges all of them. Never rejects. */
  async probe(endpoint: Pick<Endpoint, 'index'>): Promise<void> {
    const probed = this.#all[endpoint.index];
    try {
      const { number, timestamp } = await probed.client.getBlock({ blockTag: 'latest' });
      const now = this.#options.steady();
      this.#heads.note(probed, number, timestamp, now);
      if (probed.failure !== undefined && now >= probed.suspectUntil) {
        probed.failure = undefined;
        this.#recover(probed);
      }
      probed.strikes = 0;
      this.#judgeHeads();
    } catch {
      // What failed is noted where it was asked; an answer that is no block fails here.
      if (probed.failure === undefined) this.#fail(probed, EndpointFault.MALFORMED);
      probed.strikes += 1;
    }
  }

  pick(): BlockEndpoint {
    const picked = this.#inUse();
    return {
      client: picked.client,
      seconded: (height) => this.#seconded(picked, height),
      distrust: () => {
        if (!this.#all.some((other) => other !== picked && other.fault === undefined)) return false;
        picked.suspectUntil = this.#options.steady() + SUSPECT_MS;
        this.#fail(picked, EndpointFault.INCONSISTENT);
        return true;
      },
    };
  }

  async #request(question: RpcQuestion): Promise<unknown> {
    if (question.method === 'eth_sendRawTransaction') return this.#broadcast(question);
    const tried = new Set<Endpoint>();
    for (let endpoint: Endpoint | undefined = this.#inUse(); ;) {
      try {
        return await endpoint.request(question);
      } catch (error) {
        tried.add(endpoint);
        endpoint = this.#all.find((one) => one.fault === undefined && !tried.has(one));
        if (faultIn(error, question.method) === undefined || endpoint === undefined) throw error;
      }
    }
  }

  /** To all: an endpoint may take a transaction and hand it on to nobody. It is enough if one takes it. */
  async #broadcast(question: RpcQuestion): Promise<unknown> {
    const taken = this.#all.map((endpoint) => endpoint.request(question));
    try {
      return await Promise.any(taken);
    } catch (error) {
      const { errors } = error as AggregateError;
      const isAnswer = (one: unknown): boolean => faultIn(one, question.method) === undefined;
      throw errors.find(hasAlready) ?? errors.find(isAnswer) ?? errors[0];
    }
  }

  /** The endpoint to ask now. */
  #inUse(): Endpoint {
    const now = this.#options.steady();
    const well = this.#all.filter(({ fault }) => fault === undefined);
    const preferred = well.includes(this.#current)
      ? well.find((one) => one === this.#current || now - one.wellSince > RETURN_AFTER_MS)
      : well[0];
    // Where none is well, the one that was left alone the longest.
    const next = preferred ?? this.#all.toSorted((a, b) => a.failedAt - b.failedAt)[0];
    if (next !== this.#current) {
      this.#current = next;
      if (next.fault === undefined) this.#options.onChange(this.#statusOf(next));
    }
    return this.#current;
  }

  async #seconded(picked: Endpoint, height: bigint): Promise<bigint> {
    const others = this.#all.filter((one) => one !== picked && one.fault === undefined);
    if (others.some(({ head }) => head !== undefined && head.height >= height)) return height;
    let reached: bigint | undefined;
    for (const other of others) {
      // Those that fail are not well any more, and say nothing.
      const its = await other.client.getBlockNumber({ cacheTime: 0 }).catch(() => undefined);
      if (its === undefined) continue;
      if (its >= height) return height;
      if (reached === undefined || its > reached) reached = its;
    }
    return reached ?? height;
  }

  #fail(endpoint: Endpoint, fault: EndpointFault): void {
    const now = this.#options.steady();
    const wasWell = endpoint.fault === undefined;
    endpoint.failure = fault;
    endpoint.failedAt = now;
    if (wasWell) this.#options.onChange(this.#statusOf(endpoint));
    this.#inUse();
  }

  #recover(endpoint: Endpoint): void {
    if (endpoint.fault !== undefined) return;
    endpoint.wellSince = this.#options.steady();
    this.#options.onChange(this.#statusOf(endpoint));
  }

  #judgeHeads(): void {
    const lateness = this.#heads.judge(this.#options.steady(), this.#options.timeOfDay());
    for (const endpoint of this.#all) {
      const before = endpoint.fault;
      endpoint.lateness = lateness.get(endpoint);
      if (before === undefined && endpoint.fault !== undefined) {
        endpoint.failedAt = this.#options.steady();
        this.#options.onChange(this.#statusOf(endpoint));
      } else if (before !== undefined) this.#recover(endpoint);
    }
    this.#inUse();
  }

  async #lookAfter(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.probe(endpoint);
      await pause(this.pauseMs(endpoint), signal);
    }
  }

  /** How long to leave an endpoint alone: longer with each failure, and never for as long as others do. */
  pauseMs({ index }: Pick<Endpoint, 'index'>): number {
    const { failure, strikes } = this.#all[index];
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(strikes, 16), LONGEST_PAUSE_MS);
    return (failure === undefined ? PROBE_EVERY_MS : backoff) * (0.75 + this.#options.random() / 2);
  }

  #statusOf(endpoint: Endpoint): EndpointStatus {
    const { index, host, fault, head, answered, failed } = endpoint;
    return {
      ...{ index, host, fault, answered, failed },
      inUse: endpoint === this.#current,
      head: head?.height,
    };
  }
}
