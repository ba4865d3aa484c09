import { emptyTask } from 'hardhat/config';

import { optionalText, readerTask, type CommonArguments } from '../options.ts';

export interface StatusArguments extends CommonArguments {
  operator: string | undefined;
}

export const slashTasks = [
  emptyTask(['kms', 'slash'], 'Slashing: what was proven, and what it cost').build(),
  readerTask(['slash', 'status'], 'Show proven offences, penalties, and who may take no seat')
    .addOption(optionalText('operator', 'Only what concerns this operator: its account'))
    .setAction(() => import('./status.ts'))
    .build(),
];
