import { keccak256, numberToHex, type Address, type Hex, type RpcBlock, type RpcLog } from 'viem';

/** One question of JSON-RPC, as it comes over HTTP. */
export interface RpcRequest {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** Its answer. */
export interface RpcAnswer {
  readonly result?: unknown;
}

/** Asks the true endpoint. */
export type Ask = (request: RpcRequest) => Promise<RpcAnswer>;

/** A log that never happened, and the height at which to tell it. */
export interface Invention {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly height: bigint;
}

/** What an endpoint says of the head of the chain. */
export type HeadLie =
  /** It has seen no block above this height. */
  | { readonly kind: 'frozen'; readonly height: bigint }
  /** It claims so many blocks that there are not, and shows made-up ones. */
  | { readonly kind: 'ahead'; readonly blocks: bigint };

/**
 * What an endpoint tells of the chain, where it is not the truth. It lies well: an invented log carries the
 * hash of the real block at its height, and an endpoint with an old head knows nothing of what came later,
 * neither blocks nor state.
 */
export class Lies {
  #inventions: readonly Invention[] = [];
  #head: HeadLie | undefined;
  #swallows = false;
  #chainId: bigint | undefined;

  /** From now on, questions for logs that cover that height are answered with this one, too. */
  invent(invention: Invention): void {
    this.#inventions = [...this.#inventions, invention];
  }

  head(lie: HeadLie): void {
    this.#head = lie;
  }

  /** Takes transactions and hands them on to nobody. */
  swallowTransactions(): void {
    this.#swallows = true;
  }

  /** Says that it serves another chain. */
  chainId(chainId: bigint): void {
    this.#chainId = chainId;
  }

  repent(): void {
    this.#inventions = [];
    this.#head = undefined;
    this.#swallows = false;
    this.#chainId = undefined;
  }

  /** The answer to a question: the true one where there is no lie about it. */
  async answer(request: RpcRequest, ask: Ask): Promise<RpcAnswer> {
    const { method, params = [] } = request;
    const answered = (result: unknown): RpcAnswer => answerTo(request, result);
    if (this.#swallows && method === 'eth_sendRawTransaction')
      return answered(keccak256(params[0] as Hex));
    if (this.#chainId !== undefined && method === 'eth_chainId')
      return answered(numberToHex(this.#chainId));
    const [real, shown] = await this.#heads(ask);
    if (method === 'eth_blockNumber' && shown !== undefined) return answered(numberToHex(shown));
    if (shown !== undefined && shown > real) {
      const height = method === 'eth_getBlockByNumber' ? heightOf(params[0], shown) : undefined;
      if (height !== undefined && height > real) return answered(await madeUpBlock(height, ask));
    }
    if (shown === undefined || shown >= real)
      return this.#embellished(request, await ask(request), ask);
    return this.#outdated(request, shown, ask);
  }

  /** What is there, and what is shown instead, if anything. */
  async #heads(ask: Ask): Promise<[bigint, bigint | undefined]> {
    const lie = this.#head;
    if (lie === undefined) return [0n, undefined];
    const { result } = await ask({ method: 'eth_blockNumber' });
    const real = BigInt(result as Hex);
    switch (lie.kind) {
      case 'frozen':
        return [real, lie.height < real ? lie.height : real];
      case 'ahead':
        return [real, real + lie.blocks];
    }
  }

  /** The answer of a node that has not seen what is above `shown`. */
  async #outdated(request: RpcRequest, shown: bigint, ask: Ask): Promise<RpcAnswer> {
    const { method, params = [] } = request;
    const isAbove = (height: unknown): boolean =>
      typeof height === 'string' && BigInt(height) > shown;
    const old = (part: unknown): unknown => {
      if (part === 'latest' || part === 'pending') return numberToHex(shown);
      if (Array.isArray(part)) return part.map(old);
      if (typeof part !== 'object' || part === null) return part;
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, old(value)]));
    };
    const unknown = answerTo(request, null);
    if (method === 'eth_sendRawTransaction') return ask(request);
    if (method === 'eth_getBlockByNumber' && isAbove(old(params[0]))) return unknown;
    if (method === 'eth_getLogs') {
      const filter = params[0] as LogFilter;
      if (isAbove(filter.fromBlock)) return answerTo(request, []);
      const toBlock = isAbove(filter.toBlock) ? numberToHex(shown) : filter.toBlock;
      const answer = await ask({ ...request, params: [{ ...filter, toBlock }] });
      return this.#embellished(request, answer, ask);
    }
    const answer = await ask({ ...request, params: params.map(old) });
    const found = answer.result as { number?: unknown; blockNumber?: unknown } | null | undefined;
    return isAbove(found?.number) || isAbove(found?.blockNumber) ? unknown : answer;
  }

  async #embellished(request: RpcRequest, answer: RpcAnswer, ask: Ask): Promise<RpcAnswer> {
    if (request.method !== 'eth_getLogs' || !Array.isArray(answer.result)) return answer;
    const filter = request.params?.[0] as LogFilter;
    const told = this.#inventions.filter((invention) => covers(filter, invention));
    const lies = await Promise.all(told.map((invention) => disguised(invention, ask)));
    const logs = [...(answer.result as RpcLog[]), ...lies];
    return { ...answer, result: logs.sort((a, b) => order(a) - order(b)) };
  }
}

interface LogFilter {
  readonly address?: string | string[];
  readonly fromBlock?: string;
  readonly toBlock?: string;
}

const answerTo = ({ id }: RpcRequest, result: unknown): RpcAnswer => ({
  ...{ jsonrpc: '2.0', id },
  result,
});

/** The height that a question for a block names. */
const heightOf = (tag: unknown, latest: bigint): bigint =>
  typeof tag === 'string' && tag.startsWith('0x') ? BigInt(tag) : latest;

function covers({ address, fromBlock, toBlock }: LogFilter, invention: Invention): boolean {
  const addresses = address === undefined ? [] : [address].flat();
  const asked = addresses.some((one) => one.toLowerCase() === invention.address.toLowerCase());
  const height = Number(invention.height);
  return asked && Number(fromBlock) <= height && height <= Number(toBlock);
}

async function blockAt(tag: string, ask: Ask): Promise<RpcBlock> {
  const { result } = await ask({ method: 'eth_getBlockByNumber', params: [tag, false] });
  return result as RpcBlock;
}

/** A block that there is not, after the real ones: with a hash that it keeps. */
async function madeUpBlock(height: bigint, ask: Ask): Promise<RpcBlock> {
  const number = numberToHex(height);
  return {
    ...(await blockAt('latest', ask)),
    ...{ number, hash: keccak256(number), transactions: [] },
  };
}

/** The invention as a log of the real block at its height, after all real ones. */
async function disguised(invention: Invention, ask: Ask): Promise<RpcLog> {
  const block = await blockAt(numberToHex(invention.height), ask);
  return {
    address: invention.address,
    topics: [...invention.topics] as RpcLog['topics'],
    data: invention.data,
    blockNumber: numberToHex(invention.height),
    blockHash: block.hash!,
    blockTimestamp: block.timestamp,
    transactionHash: keccak256(invention.data),
    transactionIndex: numberToHex(block.transactions.length),
    logIndex: numberToHex(1000),
    removed: false,
  };
}

const order = (log: RpcLog): number => Number(log.blockNumber) * 1e6 + Number(log.logIndex);
