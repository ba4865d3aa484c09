import { task } from 'hardhat/config';
import { ArgumentType } from 'hardhat/types/arguments';

/** What every task takes. */
export interface CommonArguments {
  gateway: string | undefined;
  json: boolean;
}

/** What every task that sends transactions or waits takes. */
export interface SenderArguments extends CommonArguments {
  from: string | undefined;
}

export const DEFAULT_TIMEOUT_S = 300;

/** A `kms` task that only reads. */
export function readerTask(id: string[], description: string) {
  return task(['kms', ...id], description)
    .addOption({
      name: 'gateway',
      description:
        'DecryptionGateway address; else KEYLOOM_GATEWAY, else what `npm run devnet` started',
      type: ArgumentType.STRING_WITHOUT_DEFAULT,
      defaultValue: undefined,
    })
    .addFlag({ name: 'json', description: 'Print one JSON document; progress goes to stderr' });
}

/** A `kms` task that sends transactions. */
export function senderTask(id: string[], description: string) {
  return readerTask(id, description).addOption({
    name: 'from',
    description: 'Account of the network to act as: an address or a number; default 0',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  });
}
