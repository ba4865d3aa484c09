/**
 * `node --import` this: whatever fills 64 bytes with randomness, as secrets of ceremonies are drawn, is
 * written to the file that KEYLOOM_TEST_RECORD names, too. For a test that looks for it everywhere else.
 */
import crypto from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const SECRET_BYTES = 64;
const record = process.env['KEYLOOM_TEST_RECORD'];
const fill = crypto.randomFillSync.bind(crypto);

crypto.randomFillSync = ((buffer: Uint8Array, ...rest: [number?, number?]) => {
  fill(buffer, ...(rest as []));
  if (record !== undefined && buffer.length === SECRET_BYTES)
    appendFileSync(record, `${Buffer.from(buffer).toString('hex')}\n`);
  return buffer;
}) as typeof crypto.randomFillSync;
syncBuiltinESMExports();
