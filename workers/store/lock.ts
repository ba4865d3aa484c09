import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * The lock of a data directory: one process at a time, and no other handle of the same one.
 *
 * It is the operating system's, on a database that nothing is ever written to, and it is held until
 * `release` or the end of the process; so a crash leaves none. It is not on `state.db` itself, which a
 * backup reads while the operator runs.
 */
export class DirectoryLock {
  readonly #sqlite: DatabaseSync;

  /** @throws the error of SQLite if somebody else holds it */
  constructor(path: string) {
    // Made for the owner alone. A file that is there is not opened here: closing it would release the
    // lock that this very process may hold.
    try {
      closeSync(openSync(path, 'wx', 0o600));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    this.#sqlite = new DatabaseSync(path, { timeout: 0 });
    try {
      this.#sqlite.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      this.#sqlite.close();
      throw error;
    }
  }

  /** Again is harmless. */
  release(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }
}
