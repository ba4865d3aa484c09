import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export interface EncryptArguments extends SenderArguments {
  key: string;
  slots: string | undefined;
  scalar: string | undefined;
  owner: string | undefined;
  proof: string;
  crs: string | undefined;
}

export const encryptTask = senderTask(
  ['encrypt'],
  'Encrypt, prove that it is an encryption, and register it with the proof',
)
  .addOption({ name: 'key', description: 'Key id', defaultValue: '' })
  .addOption(optionalText('slots', 'Values of the slots, separated by commas; the rest is 0'))
  .addOption(optionalText('scalar', 'One value, in coefficient 0'))
  .addOption(optionalText('owner', 'Who may have it decrypted; default: the account itself'))
  .addOption({
    name: 'proof',
    description: 'Kind of the proof: lattice, or kzg, which leaves more room to compute',
    defaultValue: 'lattice',
  })
  .addOption(optionalText('crs', 'For kzg: .ptau file, from `kms crs export`'))
  .setAction(() => import('./action.ts'))
  .build();
