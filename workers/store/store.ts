import { join } from 'node:path';
import { clearSnapshot } from './backup/snapshot.ts';
import { bindDatabase, boundChainId, type Binding } from './binding.ts';
import { Blobs } from './blobs.ts';
import { Blocks } from './blocks.ts';
import { Database } from './database.ts';
import { defaultKdf, type KdfParameters } from './encryption.ts';
import type { Disk } from './disk.ts';
import { Entries } from './entries.ts';
import { EvidenceBook } from './evidence.ts';
import { Faults } from './faults.ts';
import { Openings } from './openings.ts';
import { Pending } from './pending.ts';
import { Results } from './results.ts';
import { Restoration } from './restoration.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { Transactions } from './transactions.ts';
import { Transcripts } from './transcripts.ts';
import { Verdicts } from './verdicts.ts';

/** An operator's durable state: `state.db`, `blobs/` and `transcripts/` in its data directory. */
export interface Store extends Disposable {
  readonly secrets: Secrets;
  readonly openings: Openings;
  readonly results: Results;
  readonly blocks: Blocks;
  readonly transactions: Transactions;
  readonly blobs: Blobs;
  readonly entries: Entries;
  readonly faults: Faults;
  readonly evidence: EvidenceBook;
  /** What this operator has verified, and what it has signed that the chain may not have. */
  readonly verdicts: Verdicts;
  readonly pending: Pending;
  readonly restoration: Restoration;
  /** The one part that a power cut may take the latest of. */
  readonly transcripts: Transcripts;
  /** How writing to the data directory goes. */
  readonly disk: Disk;
  /** Binds the directory to a deployment and signer. @throws StoreError IDENTITY_MISMATCH */
  bind(binding: Binding): void;
  /** The chain that the directory is bound to, if any. */
  readonly boundChainId: bigint | undefined;
  /** Releases the directory. The store is of no use afterwards. */
  close(): void;
}

/**
 * Opens the durable state of an operator, or creates it.
 *
 * Everything that a method of the store has returned from survives a crash of the process and, but
 * for transcripts, of the machine. One process at a time.
 *
 * @param directory made, for the owner alone, if it does not exist
 * @param passphrase secret; the one the directory was created with
 * @param options.transcriptBytes most bytes of transcripts; the oldest are dropped above
 * @throws StoreError DIRECTORY_LOCKED, WRONG_PASSPHRASE, SCHEMA_TOO_NEW, STATE_UNREADABLE,
 *   DISK_FULL, DISK_FAILED
 */
export async function openStore(
  directory: string,
  passphrase: string,
  options: { kdf?: KdfParameters; transcriptBytes?: number } = {},
): Promise<Store> {
  const database = new Database(directory);
  try {
    database.assertIntact();
    const secrets = await openSecrets(database, passphrase, options.kdf ?? defaultKdf);
    await clearSnapshot(directory);
    const blobs = await Blobs.open(join(directory, 'blobs'), database.disk);
    const transcripts = await Transcripts.open(
      join(directory, 'transcripts'),
      options.transcriptBytes,
      database.disk,
    );
    return assemble(database, secrets, blobs, transcripts);
  } catch (error) {
    database.close();
    throw error;
  }
}

function assemble(
  database: Database,
  secrets: Secrets,
  blobs: Blobs,
  transcripts: Transcripts,
): Store {
  const close = () => database.close();
  return {
    secrets,
    openings: new Openings(database),
    results: new Results(database),
    blocks: new Blocks(database),
    transactions: new Transactions(database),
    blobs,
    entries: new Entries(database),
    faults: new Faults(database),
    evidence: new EvidenceBook(database),
    verdicts: new Verdicts(database),
    pending: new Pending(database),
    restoration: new Restoration(database),
    transcripts,
    disk: database.disk,
    bind: (binding) => bindDatabase(database, binding),
    get boundChainId() {
      return boundChainId(database);
    },
    close,
    [Symbol.dispose]: close,
  };
}
