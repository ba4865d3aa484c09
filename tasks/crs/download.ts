import { writeFile } from 'node:fs/promises';

import { idOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { ceremonyOf, downloadPowers, latestContribution } from '../support/crs.ts';
import type { DownloadArguments } from './index.ts';

/** `kms crs download` */
export default action<DownloadArguments>(async (args, { gateway, progress }) => {
  const out = required(args.out, '--out');
  const ceremony = await ceremonyOf(gateway, idOf(args.id, 'the id'));
  const { ceremonyId, phase } = ceremony;
  const contribution = latestContribution(ceremony);
  progress.say('downloading the file');
  const file = await downloadPowers(gateway, ceremony, contribution);
  await writeFile(out, file);
  const { index, state } = contribution;
  return {
    json: { ceremonyId, phase, index, digest: state.digest, bytes: file.length, file: out },
    lines: [
      `${file.length} bytes, SHA-256 ${state.digest} as on chain`,
      ...(phase === 'Recorded' ? [] : [`the ceremony is not over (${phase}): more may come`]),
      `written to ${out}`,
    ],
  };
});
