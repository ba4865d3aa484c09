import { emptyTask } from 'hardhat/config';
import { ArgumentType } from 'hardhat/types/arguments';

import {
  forceFlag,
  optionalText,
  readerTask,
  senderTask,
  timeoutOption,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export interface RequestArguments extends SenderArguments {
  power: number;
  epoch: string | undefined;
  label: string;
  slot: number;
  beacon: number;
  timeout: number;
  wait: boolean;
  force: boolean;
}

export interface StatusArguments extends CommonArguments {
  id: string;
}

export interface DownloadArguments extends CommonArguments {
  id: string;
  out: string;
}

export interface RollBackArguments extends SenderArguments {
  id: string;
}

export interface VerifyArguments extends CommonArguments {
  id: string;
  file: string;
}

const idArgument = { name: 'id', description: 'Ceremony id' } as const;
const outOption = { name: 'out', description: 'File to write', defaultValue: '' } as const;

export const crsTasks = [
  emptyTask(['kms', 'crs'], 'Common reference strings: powers of tau on BN254').build(),
  senderTask(['crs', 'request'], 'Have a committee hold a powers-of-tau ceremony')
    .addOption({
      name: 'power',
      description: 'The string has 2^power powers, 8 to 17',
      type: ArgumentType.INT,
      defaultValue: 12,
    })
    .addOption(optionalText('epoch', 'Epoch that holds it; default: the latest active one'))
    .addOption({
      name: 'label',
      description: 'Text of at most 32 bytes, or 32 bytes in hex, that tells ceremonies apart',
      defaultValue: '',
    })
    .addOption({
      name: 'slot',
      description: 'Seconds that each operator has for its contribution; 0: enough for the power',
      type: ArgumentType.INT,
      defaultValue: 0,
    })
    .addOption({
      name: 'beacon',
      description: 'Hash a later block 2^BEACON times and contribute that at the end; 0: no beacon',
      type: ArgumentType.INT,
      defaultValue: 0,
    })
    .addOption(timeoutOption)
    .addFlag({ name: 'wait', description: 'Wait until it is recorded' })
    .addFlag(forceFlag)
    .setAction(() => import('./request.ts'))
    .build(),
  readerTask(['crs', 'status'], 'Show a ceremony, or list all of them')
    .addPositionalArgument({ ...idArgument, defaultValue: '' })
    .setAction(() => import('./status.ts'))
    .build(),
  readerTask(['crs', 'download'], 'Download the file of the latest contribution, as it is')
    .addPositionalArgument(idArgument)
    .addOption(outOption)
    .setAction(() => import('./download.ts'))
    .build(),
  readerTask(['crs', 'verify'], 'Check a file whole, and against the ceremony on chain')
    .addPositionalArgument(idArgument)
    .addOption({ name: 'file', description: 'The .ptau file', defaultValue: '' })
    .setAction(() => import('./verify.ts'))
    .build(),
  readerTask(['crs', 'export'], 'Download a finished string, check it whole and write it as .ptau')
    .addPositionalArgument(idArgument)
    .addOption(outOption)
    .setAction(() => import('./export.ts'))
    .build(),
  senderTask(
    ['crs', 'rollback'],
    'Take away a contribution that was proven wrong, and what follows it',
  )
    .addPositionalArgument(idArgument)
    .setAction(() => import('./rollback.ts'))
    .build(),
];
