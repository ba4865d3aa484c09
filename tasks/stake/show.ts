import { instant } from '../output.ts';
import { action } from '../run.ts';
import { chainTime } from '../support/results.ts';
import { checkedAddress } from '../support/gateway.ts';
import { bondTokenOf } from '../support/registration.ts';
import { exactly, stakeOf } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';
import type { ShowArguments } from './index.ts';

/** `kms stake show` */
export default action<ShowArguments>(async (args, { gateway }) => {
  const account =
    args.operator === undefined
      ? walletOf(gateway).account.address
      : checkedAddress(args.operator, '--operator');
  const [token, stake, now] = await Promise.all([
    bondTokenOf(gateway),
    stakeOf(gateway, account),
    chainTime(gateway),
  ]);
  const { state, seats, removed, eligible, benchedUntil, withdrawableAt } = stake;
  const { bondWei, minimumBondWei, owedWei } = stake;
  return {
    json: {
      ...{ operator: account, token: token.address, state, seats, removed, eligible },
      ...{ benchedUntil, withdrawableAt, bondWei, minimumBondWei, owedWei },
    },
    lines: [
      ...(state === 'None'
        ? [`${account} is no operator`]
        : [
            `operator ${account}: ${state}, with ${seats} seats`,
            `bond ${exactly(token, bondWei)}, the minimum is ${exactly(token, minimumBondWei)}`,
          ]),
      ...(removed ? ['removed: it was slashed and takes no seat again'] : []),
      ...(benchedUntil > now ? [`benched until ${instant(benchedUntil)}`] : []),
      ...(state === 'Unbonding'
        ? [
            withdrawableAt === 0
              ? 'can be withdrawn once the last epoch has ended, and the delay from then on is over'
              : `can be withdrawn from ${instant(withdrawableAt)} on`,
          ]
        : []),
      `owed ${exactly(token, owedWei)}`,
    ],
  };
});
