/** `npm run soak [-- --decryptions N] [--set NAME] [--json FILE]`: see docs/bench.md, Soak. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { table } from '../../tasks/output.ts';
import { parameterSet, type ParameterSet } from '../../workers/ring/parameters.ts';
import { excesses, soak, type Sample } from './soak.ts';

const USAGE = `Usage: npm run soak -- [options]

  --decryptions N  scalars to decrypt in all, from 16 on (5000)
  --set NAME       parameter set of the key (bfv-8192-b20)
  --json FILE      writes the figures there
  --help           prints this

Exit code 0: memory, descriptors and files stayed flat. 1: they did not. 2: an option makes no sense.
`;

/** @throws RangeError, TypeError of an option that makes no sense; errors of an unknown set */
function readOptions(): { set: ParameterSet; decryptions: number; json: string | undefined } {
  const { values } = parseArgs({
    options: {
      decryptions: { type: 'string', default: '5000' },
      set: { type: 'string', default: 'bfv-8192-b20' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const decryptions = Number(values.decryptions);
  if (!Number.isInteger(decryptions) || decryptions < 16)
    throw new RangeError('--decryptions must be an integer from 16 on');
  return { set: parameterSet(values.set), decryptions, json: values.json };
}

function optionsOrExit(): ReturnType<typeof readOptions> {
  try {
    return readOptions();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const { set, decryptions: wanted, json } = optionsOrExit();
const soaked = await soak(set, wanted);
const found = excesses(soaked);

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
const row = (name: string, sample: Sample): string[] => [
  name,
  ...[sample.rss, sample.heapUsed, sample.external].map(megabytes),
  String(sample.files),
  ...[sample.databaseBytes, sample.directoryBytes].map(megabytes),
  String(sample.directoryFiles),
];
const { decryptions, requests, perSecond, p50Ms, p99Ms, cpuMsPerDecryption } = soaked;
const lines = [
  `${decryptions} decryptions in ${requests} requests: ${perSecond.toFixed(1)} per second`,
  `request to result: p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`,
  `processor time of all processes: ${cpuMsPerDecryption.toFixed(2)} ms for a decryption`,
  ...table([
    ['', 'rss MB', 'heap MB', 'buffers MB', 'descriptors', 'database MB', 'data MB', 'files'],
    ...soaked.operators.flatMap(({ warm, end }, at) => [
      row(`operator ${at + 1}, warm`, warm),
      row(`operator ${at + 1}, end`, end),
    ]),
  ]),
  ...(found.length === 0 ? ['flat'] : found),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...soaked, found }, null, 2)}\n`);
if (found.length > 0) process.exitCode = 1;
