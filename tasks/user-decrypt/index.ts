import {
  forceFlag,
  optionalText,
  senderTask,
  timeoutOption,
  type SenderArguments,
} from '../options.ts';
import { validForOption } from '../permit/index.ts';

export interface UserDecryptArguments extends SenderArguments {
  handle: string | undefined;
  keyFile: string;
  publicKeyFile: string | undefined;
  permit: string | undefined;
  packed: boolean;
  validFor: number;
  timeout: number;
  force: boolean;
}

export const userDecryptTask = senderTask(
  ['user-decrypt'],
  'Have ciphertexts decrypted for you alone, and read them with your own SEAL key',
)
  .addOption(
    optionalText(
      'handle',
      'Handles of ciphertexts under one key, separated by commas; default: those of --permit',
    ),
  )
  .addOption({
    name: 'keyFile',
    description: 'Your secret key, from `kms user-keys`; it is not sent anywhere',
    defaultValue: '',
  })
  .addOption(
    optionalText('publicKeyFile', 'Your public key; default: public.key beside the secret one'),
  )
  .addOption(
    optionalText('permit', 'Permit from `kms permit`; default: the account signs one for this'),
  )
  .addFlag({
    name: 'packed',
    description: 'Get coefficient 0 of all ciphertexts in one answer: cheaper for scalars',
  })
  .addOption(validForOption)
  .addOption(timeoutOption)
  .addFlag(forceFlag)
  .setAction(() => import('./action.ts'))
  .build();
