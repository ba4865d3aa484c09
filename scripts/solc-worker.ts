/**
 * The compiler in a thread of its own: it computes for seconds, and who waits for it stays responsive.
 * Takes standard-JSON input and gives standard-JSON output, both as text.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';

interface Compiler {
  compile(
    input: string,
    callbacks: { import: (path: string) => { contents: string } | { error: string } },
  ): string;
}

const compiler = createRequire(import.meta.url)('solc') as Compiler;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Imports that are not among the sources are read from the root. */
function readImport(path: string): { contents: string } | { error: string } {
  try {
    return { contents: readFileSync(join(root, path), 'utf8') };
  } catch (cause) {
    return { error: String(cause) };
  }
}

parentPort?.on('message', (input: string) => {
  parentPort?.postMessage(compiler.compile(input, { import: readImport }));
});
