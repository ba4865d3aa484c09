/**
 * An operator that deviates: `node test/twins/operator.ts --conduct NAME start --config FILE`.
 *
 * All of it is the production program, but for what it hands to peers, and for those that collude what they
 * look at before they sign.
 */
import process from 'node:process';

import { CeremonyComputer } from '../../workers/operator/ceremony/computer.ts';
import { main } from '../../workers/operator/main.ts';
import { twins } from './answering.ts';
import { colluders } from './contributing.ts';

const at = process.argv.indexOf('--conduct');
const twin = twins[process.argv[at + 1] ?? ''];
if (at < 0 || twin === undefined) {
  process.stderr.write(`--conduct must be one of ${Object.keys(twins).join(', ')}\n`);
  process.exitCode = 2;
} else {
  if (colluders.includes(process.argv[at + 1]))
    CeremonyComputer.prototype.check = async () => undefined;
  const others = process.argv.toSpliced(at, 2).slice(2);
  process.exitCode = await main(others, twin);
}
