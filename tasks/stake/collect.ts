import type { SenderArguments } from '../options.ts';
import { action } from '../run.ts';
import { bondTokenOf } from '../support/registration.ts';
import { collectOwed, exactly } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';

/** `kms stake collect` */
export default action<SenderArguments>(async (_, { gateway }) => {
  const token = await bondTokenOf(gateway);
  const amountWei = await collectOwed(gateway);
  const account = walletOf(gateway).account.address;
  return {
    json: { account, token: token.address, amountWei },
    lines: [
      amountWei === 0n
        ? `${account} is owed nothing`
        : `${exactly(token, amountWei)} paid out to ${account}`,
    ],
  };
});
