import { join, resolve } from 'node:path';

import { createBackup } from '../store/backup/create.ts';
import { identityName, type Manifest } from '../store/backup/manifest.ts';
import { readBackup } from '../store/backup/read.ts';
import { restoreBackup } from '../store/backup/restore.ts';
import { loadConfig } from './config/config.ts';
import { givenPassphrase } from './passphrase.ts';

/** Options of the command line that backups take. */
export interface BackupOptions {
  readonly config?: string | undefined;
  readonly to?: string[] | undefined;
  readonly out?: string | undefined;
  readonly identity?: string | undefined;
  readonly in?: string | undefined;
  readonly into?: string | undefined;
  readonly 'passphrase-file'?: string | undefined;
}

/**
 * `backup create|verify|restore`: prints what was written or found as one line of JSON.
 *
 * @returns false if the options are not those of the command
 */
export async function runBackup(command: string, options: BackupOptions): Promise<boolean> {
  const { config, to, out, identity, in: file, into } = options;
  if (command === 'create' && config !== undefined && to !== undefined && out !== undefined) {
    const { identity: identityFile, dataDir } = loadConfig(config);
    const path = resolve(out);
    print({ backup: path, ...(await createBackup({ identity: identityFile, dataDir }, to, path)) });
    return true;
  }
  if (identity === undefined || file === undefined) return false;
  // Without one there is no question: a machine that checks backups need not know it.
  const passphrase = givenPassphrase(options['passphrase-file']);
  const checked = { passphrase: passphrase === undefined ? 'not checked' : 'opens it' };
  if (command === 'verify') {
    print({ backup: resolve(file), ...(await readBackup(file, identity, passphrase)), ...checked });
    return true;
  }
  if (command !== 'restore' || into === undefined) return false;
  const folder = resolve(into);
  const manifest = await restoreBackup(file, identity, passphrase, folder);
  const restored = { identity: join(folder, identityName), dataDir: join(folder, 'data') };
  print({ ...restored, ...manifest, ...checked });
  return true;
}

function print(found: Partial<Manifest> & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
