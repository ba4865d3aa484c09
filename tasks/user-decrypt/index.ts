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
  keyFile: string | undefined;
  publicKeyFile: string | undefined;
  permit: string | undefined;
  request: string | undefined;
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
  .addOption(
    optionalText('keyFile', 'Your secret key, from `kms user-keys`; it is not sent anywhere'),
  )
  .addOption(
    optionalText(
      'publicKeyFile',
      'The public key; default: public.key beside the secret one. With --permit and no --key-file the request is only sent, for somebody else to read',
    ),
  )
  .addOption(
    optionalText('permit', 'Permit from `kms permit`; default: the account signs one for this'),
  )
  .addOption(
    optionalText(
      'request',
      'Id of a request that was sent already: only waits for it and reads it',
    ),
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
