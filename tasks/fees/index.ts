import { emptyTask } from 'hardhat/config';
import { ArgumentType } from 'hardhat/types/arguments';

import {
  optionalText,
  readerTask,
  senderTask,
  type CommonArguments,
  type SenderArguments,
} from '../options.ts';

export interface QuoteArguments extends CommonArguments {
  set: string;
  handles: number;
  galois: string;
}

export interface DepositArguments extends SenderArguments {
  amount: string;
  account: string | undefined;
}

export interface WithdrawArguments extends SenderArguments {
  amount: string | undefined;
}

export interface BalanceArguments extends SenderArguments {
  account: string | undefined;
}

export const feesTasks = [
  emptyTask(['kms', 'fees'], 'Fees: what requests cost, deposits, what operators earn').build(),
  readerTask(['fees', 'quote'], 'Show what requests under a parameter set cost')
    .addOption({ name: 'set', description: 'Parameter set', defaultValue: 'bfv-8192-b20' })
    .addOption({
      name: 'handles',
      description: 'Ciphertexts in a decryption',
      type: ArgumentType.INT,
      defaultValue: 1,
    })
    .addOption({
      name: 'galois',
      description: 'Rotations of Galois keys: default, or steps such as 1,-1,0',
      defaultValue: 'default',
    })
    .setAction(() => import('./quote.ts'))
    .build(),
  senderTask(['fees', 'deposit'], 'Deposit for requests to come; tasks deposit what is missing')
    .addOption({ name: 'amount', description: 'In the fee token, e.g. 2.5', defaultValue: '' })
    .addOption(optionalText('account', 'Whose requests it is for; default: the account’s own'))
    .setAction(() => import('./deposit.ts'))
    .build(),
  senderTask(['fees', 'withdraw'], 'Pay out what the account has deposited or earned')
    .addOption(optionalText('amount', 'In the fee token, e.g. 2.5; default: everything'))
    .setAction(() => import('./withdraw.ts'))
    .build(),
  senderTask(['fees', 'balance'], 'Show a deposit, or what an operator has earned')
    .addOption(optionalText('account', 'Whose: an address; default: the account’s own'))
    .setAction(() => import('./balance.ts'))
    .build(),
];
