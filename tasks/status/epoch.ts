import type { Hex } from 'viem';

import { instant, listed, table, type TaskResult } from '../output.ts';
import { ClientErrorCode } from '../support/errors.ts';
import { epochOf, membersOf, proposalOf, type Epoch, type Proposal } from '../support/epochs.ts';
import type { Gateway } from '../support/gateway.ts';
import { askAll, fetchHealth, type Answered, type Health } from '../support/operators.ts';
import { isKeyloomError } from '../../workers/errors.ts';

/** An epoch or proposal, and what its operators say. @throws ClientError `UNKNOWN_EPOCH` */
export async function describeEpoch(gateway: Gateway, id: Hex): Promise<TaskResult> {
  const proposal = await proposalBehind(gateway, id);
  const epoch =
    proposal.epochId === undefined ? undefined : await epochOf(gateway, proposal.epochId);
  const members = await membersOf(gateway, proposal);
  const answers = await askAll(members, fetchHealth);
  const { committee, proposalId, epochId, deadline } = proposal;
  const phase = epoch?.phase ?? proposal.phase;
  return {
    json: {
      kind: 'epoch',
      proposalId,
      epochId,
      phase,
      deadline,
      n: committee.n,
      t: committee.t,
      quorum: committee.quorum,
      dealt: proposal.dealt,
      standing: proposal.standing,
      confirmed: epoch?.confirmed ?? [],
      operators: answers,
    },
    lines: [
      epochId === undefined ? `proposal ${proposalId}` : `epoch ${epochId}`,
      `${phase}; ${committee.n} operators, quorum ${committee.quorum}`,
      ...stepLines(proposal, epoch, phase),
      ...table([
        ['index', 'operator', 'endpoint', 'says'],
        ...answers.map((one) => [
          String(one.index),
          one.operator,
          one.endpoint,
          sayingOf(one, epochId),
        ]),
      ]),
    ],
  };
}

async function proposalBehind(gateway: Gateway, id: Hex): Promise<Proposal> {
  try {
    return await proposalOf(gateway, id);
  } catch (error) {
    if (!isKeyloomError(error, ClientErrorCode.UNKNOWN_EPOCH)) throw error;
    return proposalOf(gateway, (await epochOf(gateway, id)).proposalId);
  }
}

function stepLines(proposal: Proposal, epoch: Epoch | undefined, phase: string): string[] {
  if (epoch !== undefined) return [`confirmed by ${listed(epoch.confirmed)}`];
  if (phase !== 'Proposed') return [];
  return [
    `dealt: ${listed(proposal.dealt)}; acknowledged by a quorum: ${listed(proposal.standing)}`,
    `can be abandoned after ${instant(proposal.deadline)}`,
  ];
}

function sayingOf(one: Answered<Health>, epochId: Hex | undefined): string {
  if ('failure' in one) return `no answer (${one.failure})`;
  const { status, reasons, epochs } = one.answer;
  const seat = epochs.find((entry) => entry.epochId === epochId);
  const shares = seat === undefined ? [] : [seat.shares ? 'holds its shares' : 'lacks its shares'];
  return [status, ...shares, ...reasons].join(', ');
}
