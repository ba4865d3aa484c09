import { ArgumentType } from 'hardhat/types/arguments';

import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export interface RegisterArguments extends SenderArguments {
  key: string;
  in: string;
  noiseBits: number;
  owner: string | undefined;
  origin: string | undefined;
}

export const registerTask = senderTask(
  ['register'],
  'Register a ciphertext that was computed with SEAL, and hand it to the operators',
)
  .addOption({ name: 'key', description: 'Key id that it is under', defaultValue: '' })
  .addOption({
    name: 'in',
    description: 'File with SEAL’s Ciphertext object, saved without compression',
    defaultValue: '',
  })
  .addOption({
    name: 'noiseBits',
    description: 'Bits of its noise at its own level at most, in the worst case: see docs/noise.md',
    type: ArgumentType.INT,
    defaultValue: 0,
  })
  .addOption(optionalText('owner', 'Who may have it decrypted; default: the account itself'))
  .addOption(
    optionalText('origin', 'Handle of the ciphertext that it was switched from; has its owner'),
  )
  .setAction(() => import('./action.ts'))
  .build();
