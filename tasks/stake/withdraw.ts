import type { SenderArguments } from '../options.ts';
import { action } from '../run.ts';
import { bondTokenOf } from '../support/registration.ts';
import { exactly, withdrawBond } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';

/** `kms stake withdraw` */
export default action<SenderArguments>(async (_, { gateway }) => {
  const token = await bondTokenOf(gateway);
  const amountWei = await withdrawBond(gateway);
  const operator = walletOf(gateway).account.address;
  return {
    json: { operator, token: token.address, amountWei },
    lines: [`${exactly(token, amountWei)} paid out to ${operator}`],
  };
});
