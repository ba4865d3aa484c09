import { optionalText, senderTask, type SenderArguments } from '../options.ts';

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
  .addOption(optionalText('slots', 'Values of the slots, separated by commas; the rest is 0'))
  .addOption(optionalText('scalar', 'One value, in coefficient 0'))
  .addOption(optionalText('owner', 'Who may have it decrypted; default: the account itself'))
  .setAction(() => import('./action.ts'))
  .build();
