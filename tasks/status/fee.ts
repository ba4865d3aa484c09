import type { Hex } from 'viem';

import type { RequestContract } from '../../workers/chain/state.ts';
import { instant, listed, type TaskResult } from '../output.ts';
import type { Gateway } from '../support/gateway.ts';
import { amountText, feeTokenOf } from '../support/payments.ts';
import { recordOf, type RequestRecord } from '../support/requests.ts';

/** What a request cost, who served it, and what became of the fee. */
export async function describeFee(
  gateway: Gateway,
  contract: RequestContract,
  id: Hex,
): Promise<TaskResult> {
  const [record, token] = await Promise.all([recordOf(gateway, contract, id), feeTokenOf(gateway)]);
  const { feeWei, signers } = record;
  const fate = fateOf(record);
  return {
    json: { fee: { token: token.address, feeWei, fate, signers } },
    lines: [
      `fee ${amountText(token, feeWei)}: ${fate}`,
      ...(signers.length === 0 ? [] : [`served by operators ${listed(signers)}`]),
    ],
  };
}

function fateOf({ state, account, deadline }: RequestRecord): string {
  switch (state) {
    case 'Answered':
      return account === undefined
        ? 'settled'
        : `to be settled once attestations end, ${instant(deadline)}`;
    case 'Expired':
      return account === undefined ? 'refunded' : 'to be refunded';
    case 'Pending':
    case 'None':
      return 'in escrow';
  }
}
