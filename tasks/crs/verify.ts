import { readFile } from 'node:fs/promises';

import { idOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { checkPowers } from '../support/crs-check.ts';
import { ceremonyOf } from '../support/crs.ts';
import type { VerifyArguments } from './index.ts';

/** `kms crs verify` */
export default action<VerifyArguments>(async (args, { gateway, progress }) => {
  const path = required(args.file, '--file');
  const ceremony = await ceremonyOf(gateway, idOf(args.id, 'the id'));
  const file = await readFile(path);
  progress.say('checking all powers and all contributions');
  const { contribution, count } = await checkPowers(ceremony, file);
  const { ceremonyId, power, phase } = ceremony;
  return {
    json: { ceremonyId, power, phase, stateHash: contribution.stateHash, contributions: count },
    lines: [
      `2^${power} powers: all of them follow from one tau, and alpha and beta go through`,
      `${count} contributions, each proven by its contributor and chained to the one before`,
      `state ${contribution.stateHash} as on chain; the ceremony is ${phase.toLowerCase()}`,
    ],
  };
});
