import { amountOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { checkedAddress } from '../support/gateway.ts';
import { amountText, depositFees, depositOf, feeTokenOf } from '../support/payments.ts';
import { walletOf } from '../support/transactions.ts';
import type { DepositArguments } from './index.ts';

/** `kms fees deposit` */
export default action<DepositArguments>(async (args, { gateway, progress }) => {
  const token = await feeTokenOf(gateway);
  const amountWei = amountOf(required(args.amount, '--amount'), '--amount', token.decimals);
  const account =
    args.account === undefined
      ? walletOf(gateway).account.address
      : checkedAddress(args.account, '--account');
  progress.say(`approving and depositing ${amountText(token, amountWei)}`);
  await depositFees(gateway, { token, account, amountWei });
  const balanceWei = await depositOf(gateway, account);
  return {
    json: { account, token: token.address, amountWei, balanceWei },
    lines: [`${account} has ${amountText(token, balanceWei)} for requests`],
  };
});
