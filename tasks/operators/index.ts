import { emptyTask } from 'hardhat/config';

import {
  optionalText,
  readerTask,
  senderTask,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export type ListArguments = CommonArguments;

export interface RegisterArguments extends SenderArguments {
  signer: string;
  peerId: string;
  multiaddr: string;
  endpoint: string;
  bondWei: string | undefined;
}

export const operatorsTasks = [
  emptyTask(['kms', 'operators'], 'Operators: who is registered, who answers').build(),
  readerTask(['operators', 'list'], 'List the operators with their bonds and their health')
    .setAction(() => import('./list.ts'))
    .build(),
  senderTask(['operators', 'register'], 'Register the account as an operator and pay its bond')
    .addOption({
      name: 'signer',
      description: 'Signer address that `keyloom-operator init` printed',
      defaultValue: '',
    })
    .addOption({
      name: 'peerId',
      description: 'peerIdBytes that `keyloom-operator init` printed (hex)',
      defaultValue: '',
    })
    .addOption({
      name: 'multiaddr',
      description: 'Where the other operators reach it, e.g. /ip4/203.0.113.7/tcp/9101',
      defaultValue: '',
    })
    .addOption({
      name: 'endpoint',
      description: 'Base URL of its public HTTP interface',
      defaultValue: '',
    })
    .addOption(
      optionalText(
        'bondWei',
        'Bond in the smallest unit of the bond token; default: the minimum bond',
      ),
    )
    .setAction(() => import('./register.ts'))
    .build(),
];
