import { action } from '../run.ts';
import { earningsOf } from '../support/fees.ts';
import { checkedAddress } from '../support/gateway.ts';
import { amountText, depositOf, feeTokenOf, walletBalanceOf } from '../support/payments.ts';
import { walletOf } from '../support/transactions.ts';
import type { BalanceArguments } from './index.ts';

/** `kms fees balance` */
export default action<BalanceArguments>(async (args, { gateway }) => {
  const account =
    args.account === undefined
      ? walletOf(gateway).account.address
      : checkedAddress(args.account, '--account');
  const token = await feeTokenOf(gateway);
  const [balanceWei, walletWei, earnings] = await Promise.all([
    depositOf(gateway, account),
    walletBalanceOf(gateway, token, account),
    earningsOf(gateway, account),
  ]);
  return {
    json: { account, token: token.address, balanceWei, walletWei, operator: earnings },
    lines: [
      `${account} has ${amountText(token, balanceWei)} for requests or to withdraw, ${amountText(token, walletWei)} in its wallet`,
      ...(earnings === undefined
        ? []
        : [
            `to be settled: ${amountText(token, earnings.unsettledWei)} for ${earnings.unsettledRequests} requests`,
          ]),
    ],
  };
});
