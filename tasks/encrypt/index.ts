import { ArgumentType } from 'hardhat/types/arguments';

import { senderTask, type SenderArguments } from '../options.ts';

export interface EncryptArguments extends SenderArguments {
  key: string;
  slots: string | undefined;
  scalar: string | undefined;
  owner: string | undefined;
}

export const encryptTask = senderTask(
  ['encrypt'],
  'Encrypt with SEAL, register the ciphertext and hand it to the operators',
)
  .addOption({ name: 'key', description: 'Key id', defaultValue: '' })
  .addOption({
    name: 'slots',
    description: 'Values of the slots, separated by commas; the rest is 0',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'scalar',
    description: 'One value, in coefficient 0',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'owner',
    description: 'Who may have it decrypted; default: the account itself',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .setAction(() => import('./action.ts'))
  .build();
