/**
 * `node --import` this into an operator: it answers at the Unix socket that KEYLOOM_PROBE names what only
 * the process itself knows. `GET /memory` collects garbage first (with --expose-gc); `POST /profile` starts
 * sampling the main thread, `GET /profile` ends it and returns what was sampled.
 */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const socket = process.env['KEYLOOM_PROBE'];
const session = new Session();

async function answer(question: string): Promise<unknown> {
  switch (question) {
    case 'GET /memory': {
      globalThis.gc?.();
      const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
      const files = readdirSync('/proc/self/fd').length;
      return { rss, heapUsed, external, arrayBuffers, files };
    }
    case 'POST /profile':
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      return {};
    case 'GET /profile': {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    }
    default:
      return undefined;
  }
}

if (socket !== undefined && isMainThread)
  createServer((request, response) => {
    answer(`${request.method} ${request.url}`).then(
      (body) => response.setHeader('connection', 'close').end(JSON.stringify(body ?? null)),
      (error: unknown) => response.destroy(error as Error),
    );
  })
    .listen(socket)
    .unref();
