/** `age-keygen -o FILE` and `age-keygen -y FILE`, for machines without age. */
import { readFileSync, writeFileSync } from 'node:fs';
import { generateIdentity, identityToRecipient } from 'age-encryption';

const [flag, file = ''] = process.argv.slice(2);
if (flag === '-o') writeFileSync(file, `${await generateIdentity()}\n`, { mode: 0o600 });
else process.stdout.write(`${await identityToRecipient(readFileSync(file, 'utf8').trim())}\n`);
