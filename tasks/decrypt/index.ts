import {
  forceFlag,
  optionalText,
  senderTask,
  timeoutOption,
  type SenderArguments,
} from '../options.ts';

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
  .addOption(
    optionalText(
      'positions',
      'Coefficients wanted, ascending, e.g. 0 for a scalar; default: all, and the slots',
    ),
  )
  .addOption(timeoutOption)
  .addFlag(forceFlag)
  .setAction(() => import('./action.ts'))
  .build();
