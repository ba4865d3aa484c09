import { emptyTask } from 'hardhat/config';

import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export interface ShowArguments extends SenderArguments {
  operator: string | undefined;
}

export interface TopUpArguments extends SenderArguments {
  amount: string;
}

export const stakeTasks = [
  emptyTask(['kms', 'stake'], 'Stake: the bond of an operator, and rewards for evidence').build(),
  senderTask(['stake', 'show'], 'Show a bond, when it can be withdrawn, and what is owed')
    .addOption(optionalText('operator', 'Whose: an account; default: the account’s own'))
    .setAction(() => import('./show.ts'))
    .build(),
  senderTask(['stake', 'topup'], 'Add to the bond of the account')
    .addOption({ name: 'amount', description: 'In the bond token, e.g. 2.5', defaultValue: '' })
    .setAction(() => import('./topup.ts'))
    .build(),
  senderTask(['stake', 'exit'], 'Begin the unbonding of the account, for good')
    .setAction(() => import('./exit.ts'))
    .build(),
  senderTask(['stake', 'withdraw'], 'Pay out what is left of the bond once unbonding is over')
    .setAction(() => import('./withdraw.ts'))
    .build(),
  senderTask(['stake', 'collect'], 'Pay out what the account is owed: rewards for evidence')
    .setAction(() => import('./collect.ts'))
    .build(),
];
