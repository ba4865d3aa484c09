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
  relin: boolean;
  galois: string | undefined;
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
  .addFlag({ name: 'relin', description: 'Have the relinearization key made, too' })
  .addOption(
    optionalText(
      'galois',
      'Have Galois keys made, too: default, or rotation steps such as 1,-1,0 (0: the columns)',
    ),
  )
  .addOption(timeoutOption)
  .addFlag(forceFlag)
  .setAction(() => import('./action.ts'))
  .build();
