import { localTask } from '../options.ts';

export interface UserKeysArguments {
  set: string;
  out: string;
  json: boolean;
}

export const userKeysTask = localTask(
  ['user-keys'],
  'Make a SEAL key pair of your own, to receive plaintexts that nobody else sees',
)
  .addOption({
    name: 'set',
    description: 'Parameter set of the keys whose ciphertexts you want to read',
    defaultValue: 'bfv-8192-b20',
  })
  .addOption({
    name: 'out',
    description: 'Folder for public.key and secret.key; neither is ever overwritten',
    defaultValue: '',
  })
  .setAction(() => import('./action.ts'))
  .build();
