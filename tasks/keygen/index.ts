import {
  forceFlag,
  optionalText,
  senderTask,
  timeoutOption,
  type SenderArguments,
} from '../options.ts';

export interface KeygenArguments extends SenderArguments {
  set: string;
  label: string;
  epoch: string | undefined;
  out: string | undefined;
  timeout: number;
  force: boolean;
}

export const keygenTask = senderTask(
  ['keygen'],
  'Have a committee make a key; asking again for the same key continues where it was',
)
  .addOption({
    name: 'set',
    description: 'Parameter set',
    defaultValue: 'bfv-8192-b20',
  })
  .addOption({
    name: 'label',
    description: 'Text of at most 32 bytes, or 32 bytes in hex, that tells your keys apart',
    defaultValue: '',
  })
  .addOption(optionalText('epoch', 'Epoch that makes the key; default: the latest active one'))
  .addOption(optionalText('out', 'File for the public key (SEAL PublicKey object)'))
  .addOption(timeoutOption)
  .addFlag(forceFlag)
  .setAction(() => import('./action.ts'))
  .build();
