import { ArgumentType } from 'hardhat/types/arguments';

import { readerTask, type CommonArguments } from '../options.ts';

export interface StatusArguments extends CommonArguments {
  id: string;
}

export const statusTask = readerTask(
  ['status'],
  'Show the deployment, or whatever an id stands for: any request, key, ciphertext, epoch, proposal',
)
  .addPositionalArgument({
    name: 'id',
    description: 'Id of a request, key, ciphertext, epoch or proposal',
    type: ArgumentType.STRING,
    defaultValue: '',
  })
  .setAction(() => import('./action.ts'))
  .build();
