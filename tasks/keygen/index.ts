import { ArgumentType } from 'hardhat/types/arguments';

import { DEFAULT_TIMEOUT_S, senderTask, type SenderArguments } from '../options.ts';

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
  .addOption({
    name: 'epoch',
    description: 'Epoch that makes the key; default: the latest active one',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'out',
    description: 'File for the public key (SEAL PublicKey object)',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .addOption({
    name: 'timeout',
    description: 'How long to wait, in seconds',
    type: ArgumentType.INT,
    defaultValue: DEFAULT_TIMEOUT_S,
  })
  .addFlag({ name: 'force', description: 'Send the request even if too few operators answer' })
  .setAction(() => import('./action.ts'))
  .build();
