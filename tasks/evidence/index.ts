import { emptyTask } from 'hardhat/config';

import {
  optionalText,
  readerTask,
  senderTask,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export interface ListArguments extends CommonArguments {
  operator: string | undefined;
}

export interface SubmitArguments extends SenderArguments {
  id: string;
  beneficiary: string | undefined;
}

export const evidenceTasks = [
  emptyTask(['kms', 'evidence'], 'Evidence: what operators can prove of each other').build(),
  readerTask(['evidence', 'list'], 'List the evidence that the operators say they have')
    .addOption(optionalText('operator', 'Only against this operator: its account'))
    .setAction(() => import('./list.ts'))
    .build(),
  senderTask(['evidence', 'submit'], 'Submit evidence that operators serve, if it convicts')
    .addPositionalArgument({ name: 'id', description: 'Offence id, as `kms evidence list` has it' })
    .addOption(optionalText('beneficiary', 'Who gets the reward; default: the account itself'))
    .setAction(() => import('./submit.ts'))
    .build(),
];
