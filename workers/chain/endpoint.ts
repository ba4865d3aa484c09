import {
  BaseError,
  createPublicClient,
  createTransport,
  http,
  HttpRequestError,
  isHex,
  RpcRequestError,
  TimeoutError,
  type EIP1193RequestFn,
  type HttpTransportConfig,
  type PublicClient,
  type Transport,
} from 'viem';
import { ChainError, ChainErrorCode } from './errors.ts';

/** Why an RPC endpoint is not used. docs/chain-trouble.md says when each begins and ends. */
export const EndpointFault = {
  /** No connection, or no answer in time. */
  UNREACHABLE: 'UNREACHABLE',
  /** An error status of HTTP, or an error that says that it is asked too often. */
  REFUSES: 'REFUSES',
  /** Something that is not JSON-RPC. */
  MALFORMED: 'MALFORMED',
  /** It serves another chain. */
  WRONG_CHAIN: 'WRONG_CHAIN',
  /** Its head stands still while another endpoint's moves. */
  STUCK: 'STUCK',
  /** Its head is old by this machine's clock while another endpoint's is not. */
  OLD: 'OLD',
  /** What it says contradicts itself, what was read before, or 2t+1 operators. */
  INCONSISTENT: 'INCONSISTENT',
} as const;

export type EndpointFault = (typeof EndpointFault)[keyof typeof EndpointFault];

/** Of HTTP: who asks is not known, has not paid, may not, or asks too often. Nodes have others for reverts. */
const REFUSALS: readonly number[] = [401, 402, 403, 429];

/** Codes with which JSON-RPC refuses whoever asks too often, the standard's and a large provider's. */
const LIMIT_CODES: readonly number[] = [-32005, -32007, 429];

/**
 * Whose fault a failed request is: the endpoint's, or undefined if an answer is an answer, like that a
 * contract reverts.
 */
export function faultIn(error: unknown, method: string): EndpointFault | undefined {
  const causes: unknown[] = [];
  for (let one = error; one instanceof Error; one = one.cause) causes.push(one);
  for (const cause of causes) {
    if (cause instanceof TimeoutError) return EndpointFault.UNREACHABLE;
    if (cause instanceof HttpRequestError) {
      if (cause.status !== undefined) return EndpointFault.REFUSES;
      return cause.cause instanceof SyntaxError
        ? EndpointFault.MALFORMED
        : EndpointFault.UNREACHABLE;
    }
    if (cause instanceof RpcRequestError) {
      const { status = 200, code } = cause;
      if (REFUSALS.includes(status) || status >= 500) return EndpointFault.REFUSES;
      // Of logs they mean that it was too much at once.
      return LIMIT_CODES.includes(code) && method !== 'eth_getLogs'
        ? EndpointFault.REFUSES
        : undefined;
    }
    if (cause instanceof ChainError && cause.code === ChainErrorCode.WRONG_CHAIN)
      return EndpointFault.WRONG_CHAIN;
    if (cause instanceof NotAnAnswer) return EndpointFault.MALFORMED;
  }
  return undefined;
}

/** JSON that is no answer of JSON-RPC. */
class NotAnAnswer extends BaseError {
  constructor() {
    super('The answer has no result.');
  }
}

/** The head of the chain as an endpoint has it; the timestamp is the block's own, in seconds. */
export interface SeenHead {
  readonly height: bigint;
  readonly timestamp: bigint;
}

/** What public reports say of an endpoint: never its URL, which may hold an access key. */
export interface EndpointStatus {
  /** Its place in `rpcUrls`, from 0. */
  readonly index: number;
  readonly host: string;
  /** Whether it is the one that is asked now. */
  readonly inUse: boolean;
  readonly fault: EndpointFault | undefined;
  readonly head: bigint | undefined;
  /** Requests that it has answered, and that failed by its fault, since the process started. */
  readonly answered: number;
  readonly failed: number;
}

/** One endpoint, and how it has done so far. {@link Endpoints} judges it. */
export class Endpoint {
  readonly index: number;
  readonly host: string;
  /** Asks this endpoint and no other. */
  readonly client: PublicClient;
  answered = 0;
  failed = 0;
  head: SeenHead | undefined;
  /** Of its own requests; a probe that succeeds ends it. */
  failure: EndpointFault | undefined;
  /** Compared with the others' heads. */
  lateness: EndpointFault | undefined;
  /** Probes in a row that have failed, which say how long to leave it alone. */
  strikes = 0;
  /** Since when it has been well, and when it last failed, by a clock that nobody sets. */
  wellSince = -Infinity;
  failedAt = -Infinity;
  /** Until when nothing it answers ends its failure. */
  suspectUntil = -Infinity;
  /** Whether it has said what chain it serves since it last failed. */
  #isProven = false;
  readonly #ask: EIP1193RequestFn;
  readonly #chainId: () => bigint | undefined;
  readonly #onFailure: (endpoint: Endpoint, fault: EndpointFault) => void;

  /**
   * @param chainId of the chain that it has to serve, once that is known
   * @param onFailure told of each request that failed by the endpoint's fault
   */
  constructor(
    index: number,
    url: string,
    options: HttpTransportConfig,
    chainId: () => bigint | undefined,
    onFailure: (endpoint: Endpoint, fault: EndpointFault) => void,
  ) {
    this.index = index;
    this.host = new URL(url).host;
    this.#ask = http(url, { ...options, retryCount: 0 })({}).request;
    this.#chainId = chainId;
    this.#onFailure = onFailure;
    const transport = transportOf((args) => this.request(args));
    this.client = createPublicClient({ transport, cacheTime: 0 });
  }

  get fault(): EndpointFault | undefined {
    return this.failure ?? this.lateness;
  }

  /** Asks it something; before the first thing after a failure, what chain it serves. */
  async request(args: RpcQuestion): Promise<unknown> {
    try {
      if (!this.#isProven) await this.#prove();
      const result = await this.#ask(args);
      if (result === undefined) throw new NotAnAnswer();
      this.answered += 1;
      return result;
    } catch (error) {
      const fault = faultIn(error, args.method);
      if (fault === undefined) this.answered += 1;
      else {
        this.failed += 1;
        this.#isProven = false;
        this.#onFailure(this, fault);
      }
      throw error;
    }
  }

  async #prove(): Promise<void> {
    const expected = this.#chainId();
    if (expected === undefined) return;
    const said: unknown = await this.#ask({ method: 'eth_chainId' });
    if (!isHex(said)) throw new NotAnAnswer();
    const actual = BigInt(said);
    if (actual !== expected) {
      throw new ChainError(ChainErrorCode.WRONG_CHAIN, 'The RPC endpoint serves another chain.', {
        metadata: { expected, actual },
      });
    }
    this.#isProven = true;
  }
}

/** What is asked of an endpoint. */
export interface RpcQuestion {
  readonly method: string;
  readonly params?: unknown;
}

/** A transport of viem for whatever answers. */
export const transportOf =
  (request: (args: RpcQuestion) => Promise<unknown>): Transport =>
  () =>
    createTransport({
      ...{ key: 'endpoint', name: 'RPC endpoint', type: 'endpoint', retryCount: 0 },
      request: request as EIP1193RequestFn,
    });
