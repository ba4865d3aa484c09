/** `npm run bench [-- --json FILE] [--large] [--only WORDS]`: see docs/bench.md for what each line means. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { benchCeremony } from './ceremony.ts';
import { benchCurve } from './curve.ts';
import { benchDecryption } from './decryption.ts';
import { benchDevnet } from './devnet.ts';
import { benchKeys } from './keys.ts';
import { benchNtt } from './ntt.ts';
import { benchProofs } from './proofs.ts';
import { report, type Measurement } from './report.ts';
import { benchThroughput } from './throughput.ts';

const { values } = parseArgs({
  options: { json: { type: 'string' }, large: { type: 'boolean' }, only: { type: 'string' } },
});
type Bench = () => Measurement[] | Promise<Measurement[]>;
/** Thirteen processes take long where there are few cores. */
const large: [string, Bench][] = [['thirteen operators on the devnet', () => benchDevnet(13, 5)]];
const parts: readonly [what: string, run: Bench][] = [
  ['number-theoretic transforms', benchNtt],
  ['BN254, against noble', benchCurve],
  ['one operator’s work, against SEAL', benchDecryption],
  ['one operator’s keys, against SEAL', benchKeys],
  ['proofs of ciphertexts, against SEAL', benchProofs],
  ['a ceremony, against snarkjs', benchCeremony],
  ['four operators on the devnet', () => benchDevnet(4, 20)],
  ['throughput of four operators, N=8192', () => benchThroughput('bfv-8192-b20')],
  ['throughput of four operators, N=16384', () => benchThroughput('bfv-16384-b20')],
  ...(values.large === true ? large : []),
];

const measurements: Measurement[] = [];
for (const [what, run] of parts) {
  if (!what.includes(values.only ?? '')) continue;
  process.stderr.write(`measuring ${what} …\n`);
  measurements.push(...(await run()));
}
process.stdout.write(`${report(measurements).join('\n')}\n`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify(measurements, null, 2)}\n`);
