import { emptyTask } from 'hardhat/config';

import { optionalText, readerTask, type CommonArguments } from '../options.ts';

export type ListArguments = CommonArguments;

export interface StatusArguments extends CommonArguments {
  id: string;
}

export interface DownloadArguments extends CommonArguments {
  id: string;
  public: boolean;
  relin: boolean;
  galois: boolean;
  steps: string | undefined;
  switchFrom: string | undefined;
  out: string;
}

export const keyTasks = [
  emptyTask(['kms', 'key'], 'Keys: public, relinearization, Galois and switching keys').build(),
  readerTask(['key', 'list'], 'List all keys, oldest first')
    .setAction(() => import('./list.ts'))
    .build(),
  readerTask(['key', 'status'], 'Show a key, its evaluation keys and its decryption meter')
    .addPositionalArgument({ name: 'id', description: 'Key id' })
    .setAction(() => import('./status.ts'))
    .build(),
  readerTask(
    ['key', 'download'],
    'Download a key as stock SEAL loads it, checked against the chain',
  )
    .addPositionalArgument({ name: 'id', description: 'Key id' })
    .addFlag({ name: 'public', description: 'The public key (SEAL PublicKey)' })
    .addFlag({ name: 'relin', description: 'The relinearization key (SEAL RelinKeys)' })
    .addFlag({ name: 'galois', description: 'The Galois keys (SEAL GaloisKeys)' })
    .addOption(
      optionalText(
        'steps',
        'With --galois: default, or rotation steps as in keygen; else all there are',
      ),
    )
    .addOption(
      optionalText(
        'switchFrom',
        'The key that switches from this key id (SEAL GaloisKeys, element 1)',
      ),
    )
    .addOption({ name: 'out', description: 'File to write', defaultValue: '' })
    .setAction(() => import('./download.ts'))
    .build(),
];
