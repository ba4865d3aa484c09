import { instant } from '../output.ts';
import { action } from '../run.ts';
import { beginUnbonding } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';
import type { SenderArguments } from '../options.ts';

/** `kms stake exit` */
export default action<SenderArguments>(async (_, { gateway }) => {
  const withdrawableAt = await beginUnbonding(gateway);
  const operator = walletOf(gateway).account.address;
  return {
    json: { operator, withdrawableAt },
    lines: [
      `operator ${operator} is unbonding: it takes no new seat and stays slashable`,
      withdrawableAt === 0
        ? 'it is seated: the delay begins when its last epoch ends, until then it has to serve'
        : `its bond can be withdrawn from ${instant(withdrawableAt)} on`,
    ],
  };
});
