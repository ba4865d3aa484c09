import { isAddressEqual } from 'viem';

import { instant, table } from '../output.ts';
import { action } from '../run.ts';
import { chainTime } from '../support/results.ts';
import { checkedAddress } from '../support/gateway.ts';
import { bondTokenOf, listOperators } from '../support/registration.ts';
import { listConvictions, penaltiesOf, percent, treasuryOf } from '../support/slashing.ts';
import { exactly } from '../support/stake.ts';
import type { StatusArguments } from './index.ts';

/** `kms slash status` */
export default action<StatusArguments>(async (args, { gateway }) => {
  const operator =
    args.operator === undefined ? undefined : checkedAddress(args.operator, '--operator');
  const [token, convictions, penalties, treasury, operators, now] = await Promise.all([
    bondTokenOf(gateway),
    listConvictions(gateway, operator),
    penaltiesOf(gateway),
    treasuryOf(gateway),
    listOperators(gateway),
    chainTime(gateway),
  ]);
  const barred = operators
    .filter((one) => operator === undefined || isAddressEqual(one.operator, operator))
    .filter(({ removed, benchedUntil }) => removed || benchedUntil > now)
    .map(({ operator, removed, benchedUntil, bondWei }) => ({
      ...{ operator, removed, benchedUntil, bondWei },
    }));
  return {
    json: { token: token.address, convictions, penalties, treasury, barred },
    lines: [
      ...(convictions.length === 0
        ? ['no offence has been proven']
        : table([
            ['offence', 'kind', 'operator', 'opening or request', 'slashed', 'reward', 'reporter'],
            ...convictions.map((one) => [
              ...[one.offenceId, one.kind ?? 'unknown', one.operator, one.subject],
              ...[exactly(token, one.slashedWei), exactly(token, one.rewardWei), one.beneficiary],
            ]),
          ])),
      ...penalties.map(
        ({ kind, slashWad, rewardWad }) =>
          `${kind}: costs ${percent(slashWad)} of the bond, of which the reporter gets ${percent(rewardWad)}`,
      ),
      `treasury ${treasury.account} is owed ${exactly(token, treasury.owedWei)}`,
      ...barred.map(({ operator, removed, benchedUntil, bondWei }) =>
        removed
          ? `${operator} is removed, its bond is ${exactly(token, bondWei)}`
          : `${operator} is benched until ${instant(benchedUntil)}`,
      ),
    ],
  };
});
