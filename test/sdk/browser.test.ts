import { build, type BuildResult } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let bundle: BuildResult<{ metafile: true }>;

/** As an application's bundler does it: the sdk and its user in one module. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyloom-browser-'));
  bundle = await build({
    entryPoints: [at('browser/application.ts'), at('browser/proving.ts')],
    outdir: folder,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    metafile: true,
    // Named by node-seal in a branch that only Node takes.
    external: ['module'],
    logLevel: 'silent',
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('in a browser bundle', () => {
  test('nothing of Node is imported', () => {
    const imports = Object.entries(bundle.metafile.inputs).flatMap(([file, input]) =>
      input.imports.filter((one) => one.external).map(({ path }) => `${path} in ${file}`),
    );
    expect(imports).toEqual(['module in node_modules/node-seal/dist/seal_throws.js']);
    expect(bundle.warnings).toEqual([]);
  });

  test('keys, encryption, permit, download and decryption work without Node’s globals', async () => {
    expect(await outcomeOf('application.js')).toEqual({
      globals: { process: 'undefined', Buffer: 'undefined', require: 'undefined' },
      slots: ['1', '2', '3'],
      packed: ['42', '0'],
      signatureLength: 132,
      uploaded: 1,
      refused: 'PERMIT_INVALID',
    });
  });

  test('input proofs are made and checked, with kernels that the page fetches', async () => {
    expect(await outcomeOf('proving.js')).toEqual({
      withoutKernels: 'KERNELS_NOT_BUILT',
      length: 26_144,
      accepted: 'accepted',
      forOther: 'PROOF_DIGEST_MISMATCH',
    });
  });
});

/** What a bundled module exports as `outcome` when a page runs it. */
async function outcomeOf(file: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--experimental-vm-modules',
    '--no-warnings',
    at('browser/page.ts'),
    join(folder, file),
    fileURLToPath(new URL('seal_throws.wasm', import.meta.resolve('node-seal'))),
    ...['integer', 'fast'].map((name) => at(`../../workers/kernels/build/${name}.wasm`)),
  ]);
  return JSON.parse(stdout) as unknown;
}
