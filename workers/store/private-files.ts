import { statSync } from 'node:fs';
import process from 'node:process';
import { StoreError, StoreErrorCode } from './errors.ts';

/** Permission bits that nobody but the owner may have on an identity or a data directory. */
const OTHERS = 0o077;
/** The same for a passphrase: managers of secrets hand them out readable by a group of the service. */
const OTHERS_THAN_GROUP_READERS = 0o037;

/**
 * Refuses a file or folder that other accounts of the machine may read or change. What does not exist
 * passes, and so does everything on systems without such permissions.
 *
 * @param kind what it is, for people
 * @throws StoreError READABLE_BY_OTHERS, which says what to run
 */
export function assertPrivate(path: string, kind: 'identity' | 'passphrase' | 'data'): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || process.getuid === undefined) return;
  const mode = found.mode & 0o777;
  const forbidden = kind === 'passphrase' ? OTHERS_THAN_GROUP_READERS : OTHERS;
  const isStrange = found.uid !== process.getuid() && found.uid !== 0;
  if ((mode & forbidden) === 0 && !isStrange) return;
  const wanted = found.isDirectory() ? '700' : '600';
  const remedy = isStrange
    ? `give it to this account (chown ${process.getuid()} ${path})`
    : `run: chmod ${wanted} ${path}`;
  throw new StoreError(
    StoreErrorCode.READABLE_BY_OTHERS,
    `Other accounts of this machine can reach ${path}; ${remedy}`,
    { metadata: { path, mode: mode.toString(8), kind } },
  );
}
