import { emptyTask } from 'hardhat/config';

import {
  optionalText,
  readerTask,
  senderTask,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export type ListArguments = CommonArguments;

export interface UpdateArguments extends SenderArguments {
  in: string;
}

export interface RegisterArguments extends UpdateArguments {
  bond: string | undefined;
}

export interface FundArguments extends UpdateArguments {
  amount: string;
}

const registrationOption = {
  name: 'in',
  description: 'The registration.json that `keyloom-operator init` wrote',
  defaultValue: '',
} as const;

export const operatorTasks = [
  emptyTask(
    ['kms', 'operator'],
    'Operators: what their owners do on chain. The process itself, on its own machine, is ' +
      '`keyloom-operator init|start|doctor|backup`; docs/operator.md has the way from nothing',
  ).build(),
  readerTask(['operator', 'list'], 'List the operators with their bonds and their health')
    .setAction(() => import('./list.ts'))
    .build(),
  senderTask(['operator', 'register'], 'Register the account as an operator and pay its bond')
    .addOption(registrationOption)
    .addOption(optionalText('bond', 'In the bond token, e.g. 2.5; default: the minimum bond'))
    .setAction(() => import('./register.ts'))
    .build(),
  senderTask(['operator', 'fund'], 'Send ETH for gas to the signer of an operator')
    .addOption(registrationOption)
    .addOption({ name: 'amount', description: 'In ETH, e.g. 0.2', defaultValue: '' })
    .setAction(() => import('./fund.ts'))
    .build(),
  senderTask(['operator', 'update'], 'Announce other addresses of the account’s operator')
    .addOption(registrationOption)
    .setAction(() => import('./update.ts'))
    .build(),
];
