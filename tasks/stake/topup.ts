import { amountOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { bondTokenOf } from '../support/registration.ts';
import { exactly, topUp } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';
import type { TopUpArguments } from './index.ts';

/** `kms stake topup` */
export default action<TopUpArguments>(async (args, { gateway, progress }) => {
  const token = await bondTokenOf(gateway);
  const amountWei = amountOf(required(args.amount, '--amount'), '--amount', token.decimals);
  progress.say(`approving and paying ${exactly(token, amountWei)}`);
  const bondWei = await topUp(gateway, amountWei);
  const operator = walletOf(gateway).account.address;
  return {
    json: { operator, token: token.address, amountWei, bondWei },
    lines: [`operator ${operator} has a bond of ${exactly(token, bondWei)}`],
  };
});
