import { ArgumentType } from 'hardhat/types/arguments';

import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export const DEFAULT_VALIDITY_S = 3_600;

export interface PermitArguments extends SenderArguments {
  handle: string | undefined;
  owner: string | undefined;
  keyFile: string;
  validFor: number;
  out: string;
}

/** How long a permit holds from now on. */
export const validForOption = {
  name: 'validFor',
  description: 'How long the permit holds, in seconds; 30 days at most',
  type: ArgumentType.INT,
  defaultValue: DEFAULT_VALIDITY_S,
} as const;

export const permitTask = senderTask(
  ['permit'],
  'Sign that ciphertexts may be decrypted for the holder of a SEAL key; somebody else may then ask',
)
  .addOption(
    optionalText('handle', 'Handles of the ciphertexts that it covers, separated by commas'),
  )
  .addOption(
    optionalText('owner', 'Or: account all whose ciphertexts it covers, later ones as well'),
  )
  .addOption({
    name: 'keyFile',
    description: 'Your public key, from `kms user-keys`',
    defaultValue: '',
  })
  .addOption(validForOption)
  .addOption({ name: 'out', description: 'File for the signed permit (JSON)', defaultValue: '' })
  .setAction(() => import('./action.ts'))
  .build();
