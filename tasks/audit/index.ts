import { ArgumentType } from 'hardhat/types/arguments';

import { readerTask, type CommonArguments } from '../options.ts';

export interface AuditArguments extends CommonArguments {
  id: string;
  blobs: string | undefined;
}

export const auditTask = readerTask(
  ['audit'],
  'Replay a request from signed shares, and check that its result follows',
)
  .addPositionalArgument({
    name: 'id',
    description: 'Id of a key, of evaluation keys, or of a decryption request',
  })
  .addOption({
    name: 'blobs',
    description:
      'Folder with ciphertexts and user keys; what is not there comes from the operators',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  })
  .setAction(() => import('./action.ts'))
  .build();
