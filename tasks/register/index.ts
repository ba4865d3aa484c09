import { ArgumentType } from 'hardhat/types/arguments';

import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export interface RegisterArguments extends SenderArguments {
  key: string;
  in: string;
  proof: string | undefined;
  noiseBits: number;
  owner: string | undefined;
  source: string | undefined;
}

export const registerTask = senderTask(
  ['register'],
  'Register a ciphertext with its proof, or one that you, a registrar, vouch for',
)
  .addOption({ name: 'key', description: 'Key id that it is under', defaultValue: '' })
  .addOption({
    name: 'in',
    description: 'File with SEAL’s Ciphertext object, saved without compression',
    defaultValue: '',
  })
  .addOption(optionalText('proof', 'File with its proof, from `kms prove`; takes no role'))
  .addOption({
    name: 'noiseBits',
    description: 'Without a proof: bits of its noise at its own level in the worst case',
    type: ArgumentType.INT,
    defaultValue: 0,
  })
  .addOption(optionalText('owner', 'Who may have it decrypted; default: the account itself'))
  .addOption(
    optionalText('source', 'Handle of the ciphertext that it was switched from; has its owner'),
  )
  .setAction(() => import('./action.ts'))
  .build();
