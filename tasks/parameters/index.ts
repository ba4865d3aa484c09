import { emptyTask } from 'hardhat/config';

import { readerTask, senderTask, type CommonArguments, type SenderArguments } from '../options.ts';

export type ListArguments = CommonArguments;

export interface AddArguments extends SenderArguments {
  set: string;
}

export const parametersTasks = [
  emptyTask(['kms', 'parameters'], 'Parameter sets that keys can have').build(),
  readerTask(['parameters', 'list'], 'List the parameter sets on chain')
    .setAction(() => import('./list.ts'))
    .build(),
  senderTask(['parameters', 'add'], 'Record a parameter set with its decryption plan (governance)')
    .addOption({ name: 'set', description: 'Name of the parameter set', defaultValue: '' })
    .setAction(() => import('./add.ts'))
    .build(),
];
