import { emptyTask } from 'hardhat/config';

import {
  optionalText,
  readerTask,
  senderTask,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export interface GrantArguments extends SenderArguments {
  key: string;
  account: string;
  units: string;
}

export interface StatusArguments extends CommonArguments {
  id: string;
  account: string | undefined;
}

export const meterTasks = [
  emptyTask(['kms', 'meter'], 'Decryption meters: how much a key may still decrypt').build(),
  readerTask(['meter', 'status'], 'Show the decryption meter of a key')
    .addPositionalArgument({ name: 'id', description: 'Key id' })
    .addOption(optionalText('account', 'Show what this account has left under the key, too'))
    .setAction(() => import('./status.ts'))
    .build(),
  senderTask(['meter', 'grant'], 'Reserve decryptions of a key of yours for an account, for good')
    .addOption({ name: 'key', description: 'Key id', defaultValue: '' })
    .addOption({ name: 'account', description: 'Who may spend them', defaultValue: '' })
    .addOption({
      name: 'units',
      description: 'How many: one is a ciphertext for one recipient, however often',
      defaultValue: '',
    })
    .setAction(() => import('./grant.ts'))
    .build(),
];
