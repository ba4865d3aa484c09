import { ArgumentType } from 'hardhat/types/arguments';

import { DEFAULT_TIMEOUT_S, senderTask, type SenderArguments } from '../options.ts';

export interface DecryptArguments extends SenderArguments {
  handle: string;
  positions: string | undefined;
  timeout: number;
  force: boolean;
}

export const decryptTask = senderTask(
  ['decrypt'],
  'Have ciphertexts decrypted, for everybody to see, and check the result',
)
  .addOption({
    name: 'handle',
    description: 'Handles of ciphertexts under one key, separated by commas',
    defaultValue: '',
  })
  .addOption({
    name: 'positions',
    description: 'Coefficients wanted, ascending, e.g. 0 for a scalar; default: all, and the slots',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'timeout',
    description: 'How long to wait, in seconds',
    type: ArgumentType.INT,
    defaultValue: DEFAULT_TIMEOUT_S,
  })
  .addFlag({ name: 'force', description: 'Send the request even if too few operators answer' })
  .setAction(() => import('./action.ts'))
  .build();
