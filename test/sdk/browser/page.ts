import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { createContext, SourceTextModule } from 'node:vm';

// A page in as little of a browser as the sdk may rely on: a context that has the web's globals and none
// of Node's, and an origin that serves WebAssembly and keeps blobs as an operator does. Run with
// --experimental-vm-modules; prints what the application exports as `outcome`.

const [applicationFile = '', ...wasmFiles] = process.argv.slice(2);

const files = new Map<string, Uint8Array>(
  wasmFiles.map((file) => [`/${basename(file)}`, readFileSync(file)]),
);
const server = createServer((request, response) => {
  const path = request.url ?? '';
  if (request.method !== 'PUT') {
    const type = path.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream';
    response.writeHead(files.has(path) ? 200 : 404, { 'content-type': type });
    response.end(files.get(path));
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    files.set(path, Buffer.concat(chunks));
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const web = {
  AbortController,
  AbortSignal,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  atob,
  btoa,
  clearTimeout,
  console,
  crypto,
  fetch,
  location: new URL(`${origin}/page.html`),
  performance,
  queueMicrotask,
  setTimeout,
};
const context = createContext({ ...web, window: {} });
const application = new SourceTextModule(readFileSync(applicationFile, 'utf8'), {
  context,
  identifier: applicationFile,
  initializeImportMeta: (meta) => {
    meta.url = `${origin}/application.js`;
  },
});
await application.link((specifier) => {
  throw new TypeError(`a page cannot import ${specifier}`);
});
await application.evaluate();
const { outcome } = application.namespace as { outcome: unknown };
process.stdout.write(JSON.stringify(outcome));
server.closeAllConnections();
server.close();
