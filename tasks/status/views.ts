import type { Hex } from 'viem';

import { listed } from '../output.ts';
import { epochOf, membersOf } from '../support/epochs.ts';
import type { Gateway } from '../support/gateway.ts';
import { describeViews } from '../support/observer.ts';
import {
  askAll,
  faultsNamed,
  fetchRequestView,
  type Answered,
  type NamedFault,
  type RequestView,
} from '../support/operators.ts';

/** What the operators of an epoch say about an id, and whom more than t of them call faulty. */
export interface OperatorViews {
  json: { operators: Answered<RequestView | undefined>[]; faulty: NamedFault[] };
  lines: string[];
}

export async function viewsOf(gateway: Gateway, epochId: Hex, id: Hex): Promise<OperatorViews> {
  const epoch = await epochOf(gateway, epochId);
  const members = await membersOf(gateway, epoch);
  const operators = await askAll(members, (endpoint) => fetchRequestView(endpoint, id));
  const faulty = faultsNamed(operators, epoch.committee.t);
  return {
    json: { operators, faulty },
    lines: [
      describeViews(operators),
      ...faulty.map(
        ({ index, operator, reason, reportedBy }) =>
          `operator ${index} (${operator}) is faulty (${reason}), say operators ${listed(reportedBy)}`,
      ),
    ],
  };
}
