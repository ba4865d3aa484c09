import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands in for an operator's HTTP interface: an answer per request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on a free port of this machine, gone at the end of its scope. */
export async function fakeOperator(
  answer: Answer,
): Promise<{ endpoint: string } & AsyncDisposable> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers every request with a document. */
export const answering =
  (status: number, document: unknown): Answer =>
  (_, response) => {
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(document));
  };

/** Answers every request with bytes. */
export const serving =
  (bytes: Uint8Array): Answer =>
  (_, response) => {
    response.writeHead(200).end(bytes);
  };
