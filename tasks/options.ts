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

/** A `kms` task that needs neither chain nor gateway. */
export function localTask(id: string[], description: string) {
  return task(['kms', ...id], description).addFlag({
    name: 'json',
    description: 'Print one JSON document; progress goes to stderr',
  });
}

/** A `kms` task that only reads. */
export function readerTask(id: string[], description: string) {
  return localTask(id, description).addOption({
    name: 'gateway',
    description:
      'DecryptionGateway address; else KEYLOOM_GATEWAY, else what `npm run devnet` started',
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  });
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

/** An option whose value may be left out. */
export const optionalText = <Name extends string>(name: Name, description: string) =>
  ({
    name,
    description,
    type: ArgumentType.STRING_WITHOUT_DEFAULT,
    defaultValue: undefined,
  }) as const;

/** How long a task that waits does so. */
export const timeoutOption = {
  name: 'timeout',
  description: 'How long to wait, in seconds',
  type: ArgumentType.INT,
  defaultValue: DEFAULT_TIMEOUT_S,
} as const;

/** Whether a task that needs a quorum looks for one first. */
export const forceFlag = {
  name: 'force',
  description: 'Send the request even if too few operators answer',
} as const;
