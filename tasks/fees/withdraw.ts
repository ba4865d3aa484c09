import { amountOf } from '../arguments.ts';
import { action } from '../run.ts';
import { amountText, depositOf, feeTokenOf, withdrawFees } from '../support/payments.ts';
import { walletOf } from '../support/transactions.ts';
import type { WithdrawArguments } from './index.ts';

/** `kms fees withdraw` */
export default action<WithdrawArguments>(async (args, { gateway }) => {
  const token = await feeTokenOf(gateway);
  const account = walletOf(gateway).account.address;
  const amountWei =
    args.amount === undefined
      ? await depositOf(gateway, account)
      : amountOf(args.amount, '--amount', token.decimals);
  if (amountWei > 0n) await withdrawFees(gateway, amountWei);
  return {
    json: { account, token: token.address, amountWei },
    lines: [
      amountWei === 0n
        ? `${account} has nothing to withdraw`
        : `${amountText(token, amountWei)} paid out to ${account}`,
    ],
  };
});
