import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { root } from '../solidity.ts';

/** Everything that the analysis writes; git ignores it. */
export const cacheFolder = join(root, 'cache', 'analysis');

const requirements = join(root, 'scripts', 'analysis', 'requirements.txt');

/** Python with what a virtual environment needs, or undefined. */
export function findPython(): string | undefined {
  const probe = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))';
  return ['python3', 'python'].find(
    (command) => spawnSync(command, ['-c', probe], { stdio: 'ignore' }).status === 0,
  );
}

/**
 * Installs slither from the locked requirements, unless it is there already.
 * @returns the path of its command.
 */
export function installSlither(python: string): string {
  const folder = join(cacheFolder, 'venv');
  const stamp = join(folder, 'installed');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const slither = join(folder, 'bin', 'slither');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return slither;

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cacheFolder, { recursive: true });
  run(python, ['-m', 'venv', folder]);
  run(join(folder, 'bin', 'python'), [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
    // Nothing but the named files, and no code of theirs while they are installed.
    ...['--no-deps', '--require-hashes', '--only-binary', ':all:', '-r', requirements],
  ]);
  writeFileSync(stamp, wanted);
  return slither;
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed.`);
}
