// Writes to a store until it is killed, and says on standard output what it was told is durable.
import { writeSync } from 'node:fs';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { openStore } from '../../../workers/store/store.ts';
import { round } from './crash-round.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const store = await openStore(directory, 'passphrase', { kdf: insecureFastKdf });
writeSync(1, 'open\n');
for (let i = Number(first); ; i++) {
  const { id, opening, root, name, secret, block, attempt, blob, share } = round(i);
  store.openings.commit(opening, root);
  writeSync(1, `opening ${i}\n`);
  store.secrets.put(name, secret);
  writeSync(1, `secret ${i}\n`);
  store.blocks.append([block], block);
  writeSync(1, `block ${i}\n`);
  store.transactions.record(i, name, attempt);
  writeSync(1, `transaction ${i}\n`);
  await store.blobs.put(blob);
  writeSync(1, `blob ${i}\n`);
  await store.transcripts.put(id, 1, share);
  writeSync(1, `transcript ${i}\n`);
}
