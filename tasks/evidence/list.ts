import { isAddressEqual } from 'viem';

import { table } from '../output.ts';
import { action } from '../run.ts';
import { listOffences } from '../support/evidence/collect.ts';
import { checkedAddress } from '../support/gateway.ts';
import type { ListArguments } from './index.ts';

/** `kms evidence list` */
export default action<ListArguments>(async (args, { gateway, progress }) => {
  const accused =
    args.operator === undefined ? undefined : checkedAddress(args.operator, '--operator');
  progress.say('asking the operators');
  const { offences, unusable } = await listOffences(gateway);
  const evidence = offences.filter(
    ({ operator }) => accused === undefined || isAddressEqual(operator, accused),
  );
  const rows = evidence.map(({ offenceId, kind, operator, subject, holders }) => [
    ...[offenceId, kind, operator, subject],
    holders
      .map(({ state, why, ...holder }) =>
        [holder.operator, state, ...(why === undefined ? [] : [why])].join(' '),
      )
      .join(', '),
  ]);
  return {
    json: { evidence, unusable },
    lines: [
      ...(rows.length === 0
        ? ['no operator that answers has evidence']
        : [
            ...table([['offence', 'kind', 'accused', 'opening or request', 'held by'], ...rows]),
            'whether it convicts is up to the contract: `kms evidence submit OFFENCE`',
          ]),
      ...unusable.map(({ operator, why }) => `${operator} answers nothing of use: ${why}`),
    ],
  };
});
