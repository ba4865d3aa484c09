import { writeFile } from 'node:fs/promises';

import { idOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { checkPowers } from '../support/crs-check.ts';
import { ceremonyOf, downloadPowers, finalContribution } from '../support/crs.ts';
import type { DownloadArguments } from './index.ts';

/** `kms crs export` */
export default action<DownloadArguments>(async (args, { gateway, progress }) => {
  const out = required(args.out, '--out');
  const ceremony = await ceremonyOf(gateway, idOf(args.id, 'the id'));
  const { ceremonyId, power } = ceremony;
  const contribution = finalContribution(ceremony);
  progress.say('downloading the file');
  const file = await downloadPowers(gateway, ceremony, contribution);
  progress.say('checking all powers and all contributions');
  const { count } = await checkPowers(ceremony, file);
  await writeFile(out, file);
  const { digest } = contribution.state;
  return {
    json: { ceremonyId, power, digest, contributions: count, bytes: file.length, file: out },
    lines: [
      `2^${power} powers of tau with ${count} contributions: all checked`,
      `${file.length} bytes, SHA-256 ${digest} as on chain`,
      `written to ${out}; \`snarkjs powersoftau verify ${out}\` says the same`,
    ],
  };
});
