import { emptyTask } from 'hardhat/config';

import {
  optionalText,
  readerTask,
  senderTask,
  timeoutOption,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export type ListArguments = CommonArguments;

export interface ProposeArguments extends SenderArguments {
  operators: string;
  salt: string | undefined;
  timeout: number;
}

export interface StatusArguments extends CommonArguments {
  id: string;
}

export const epochTasks = [
  emptyTask(['kms', 'epoch'], 'Epochs: committees of operators that hold keys').build(),
  readerTask(['epoch', 'list'], 'List proposed committees and epochs, oldest first')
    .setAction(() => import('./list.ts'))
    .build(),
  senderTask(['epoch', 'propose'], 'Propose a committee and wait until its set-up is complete')
    .addOption({
      name: 'operators',
      description: '4, 7, 10 or 13 operator addresses in committee order, separated by commas',
      defaultValue: '',
    })
    .addOption(
      optionalText(
        'salt',
        'Text or 32 bytes in hex that tells repeated proposals apart; default: random',
      ),
    )
    .addOption(timeoutOption)
    .setAction(() => import('./propose.ts'))
    .build(),
  readerTask(['epoch', 'status'], 'Show an epoch or a proposal, and what its operators say')
    .addPositionalArgument({ name: 'id', description: 'Epoch id or proposal id' })
    .setAction(() => import('./status.ts'))
    .build(),
];
