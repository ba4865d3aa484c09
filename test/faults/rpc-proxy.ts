import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { Lies, type RpcAnswer, type RpcRequest } from './rpc-lies.ts';

/** How an endpoint fails, whatever it is asked. */
export type RpcFault =
  /** It answers, but so late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** It answers with this status of HTTP, for example 429 or 503. */
  | { readonly kind: 'status'; readonly status: number }
  /** Connections are refused, open ones are cut. */
  | { readonly kind: 'down' }
  /** It takes questions and never answers. */
  | { readonly kind: 'hanging' }
  /** It answers with something that is not JSON. */
  | { readonly kind: 'garbage' }
  /** It answers with the first half of the answer. */
  | { readonly kind: 'truncated' };

type Batch<T> = T | T[];

/**
 * An HTTP proxy before a JSON-RPC endpoint, which fails or lies when it is told to, and otherwise passes
 * everything on. It keeps its URL through all of that.
 */
export class RpcProxy {
  readonly url: string;
  /** What it tells that is not true; nothing at first. */
  readonly lies = new Lies();
  readonly #port: number;
  readonly #upstream: string;
  #server: Server;
  #fault: RpcFault | undefined;
  #asked = 0;

  private constructor(upstream: string, server: Server) {
    this.#upstream = upstream;
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.#port}`;
    server.on('request', this.#take);
  }

  static async start(upstream: string): Promise<RpcProxy> {
    return new RpcProxy(upstream, await listening(createServer(), 0));
  }

  /** How many times it was asked since it was started, what it did not answer included. */
  get asked(): number {
    return this.#asked;
  }

  /** From now on it fails in this way, and in no other. */
  async fail(fault: RpcFault): Promise<void> {
    await this.forward();
    this.#fault = fault;
    if (fault.kind === 'down') await this.#closeServer();
  }

  /** It fails no more. What it lies about stays: see {@link Lies.repent}. */
  async forward(): Promise<void> {
    const wasDown = this.#fault?.kind === 'down';
    // Whoever waits for an answer that never comes asks again.
    if (this.#fault?.kind === 'hanging') this.#server.closeAllConnections();
    this.#fault = undefined;
    if (!wasDown) return;
    this.#server = await listening(createServer(this.#take), this.#port);
  }

  /** It sees no block that comes after now. */
  async freeze(): Promise<void> {
    const { result } = await this.#ask({ method: 'eth_blockNumber' });
    this.lies.head({ kind: 'frozen', height: BigInt(result as string) });
  }

  async close(): Promise<void> {
    if (this.#fault?.kind !== 'down') await this.#closeServer();
  }

  readonly #take = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    this.#asked += 1;
    this.#respond(incoming, outgoing).catch(() => outgoing.writeHead(502).end());
  };

  async #respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const fault = this.#fault;
    const body = await read(incoming);
    if (fault?.kind === 'hanging') return;
    if (fault?.kind === 'status') return void outgoing.writeHead(fault.status).end();
    outgoing.setHeader('content-type', 'application/json');
    if (fault?.kind === 'garbage') return void outgoing.end('<html>so sorry</html>');
    if (fault?.kind === 'slow') await delay(fault.ms, undefined, { ref: false });
    const requests = JSON.parse(body) as Batch<RpcRequest>;
    const answer = (request: RpcRequest): Promise<RpcAnswer> =>
      this.lies.answer(request, (question) => this.#ask(question));
    const answers = Array.isArray(requests)
      ? await Promise.all(requests.map(answer))
      : await answer(requests);
    const text = JSON.stringify(answers);
    outgoing.end(fault?.kind === 'truncated' ? text.slice(0, text.length >> 1) : text);
  }

  async #ask(request: RpcRequest): Promise<RpcAnswer> {
    const reply = await fetch(this.#upstream, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...{ jsonrpc: '2.0', id: 1 }, ...request }),
    });
    return (await reply.json()) as RpcAnswer;
  }

  async #closeServer(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
  }
}

async function listening(server: Server, port: number): Promise<Server> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
