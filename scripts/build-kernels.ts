import { globSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import asc from 'assemblyscript/asc';

// Compiles workers/kernels/assembly to workers/kernels/build, unless the build is already newer.

const root = dirname(import.meta.dirname);
const sources = join(root, 'workers/kernels/assembly');
const build = join(root, 'workers/kernels/build');

const common = [
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory'],
  ...['--initialMemory', '1', '--enable', 'simd'],
];
/** Per output: its folder in assembly/, and its flags. */
const modules = {
  integer: { source: 'integer', flags: [] },
  fast: { source: 'fast', flags: ['--enable', 'relaxed-simd'] },
  curve: { source: 'curve', flags: [] },
  'curve-fast': { source: 'curve', flags: ['--enable', 'relaxed-simd'] },
};

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

const inputs = [import.meta.filename, ...globSync(join(sources, '**/*.ts'))];
const newest = Math.max(...inputs.map(modified));
const outputs = Object.keys(modules).map((name) => join(build, `${name}.wasm`));

if (Math.min(...outputs.map(modified)) >= newest) {
  console.log('kernels: up to date');
} else {
  mkdirSync(build, { recursive: true });
  for (const [name, { source, flags }] of Object.entries(modules)) {
    const messages = asc.createMemoryStream();
    const { error } = await asc.main(
      [
        join(sources, source, 'index.ts'),
        '--outFile',
        join(build, `${name}.wasm`),
        ...common,
        ...flags,
      ],
      { stderr: messages },
    );
    if (error !== null) {
      console.error(messages.toString());
      throw error;
    }
  }
  console.log(`kernels: built ${Object.keys(modules).join(', ')}`);
}
