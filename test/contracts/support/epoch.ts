import { keccak256, parseEventLogs, toHex, type Hex, type TransactionReceipt } from 'viem';

import { epochManagerAbi } from '../../../workers/chain/abi.ts';
import {
  firstMembers,
  operatorAccount,
  quorumOf,
  registerOperators,
  send,
  type DeployedGateway,
  type LocalChain,
} from './gateway.ts';

/** The dealing root that operator number i posts in these tests. */
export const rootOf = (index: number): Hex => keccak256(toHex(`root ${index}`));

/** What setting up an epoch produced, and the gas of its transactions. */
export interface ActiveEpoch {
  proposalId: Hex;
  epochId: Hex;
  gas: Record<string, bigint>;
}

/**
 * Takes the first n operators from a proposal to an active epoch. A quorum of them does all.
 *
 * @param dealingRoot what an operator posts; something of no meaning if absent
 */
export async function activateEpoch(
  chain: LocalChain,
  gateway: DeployedGateway,
  n: number,
  salt: Hex,
  dealingRoot: (index: number, proposalId: Hex) => Hex = rootOf,
): Promise<ActiveEpoch> {
  const { epochManager } = gateway;
  const operators = await registerOperators(chain, gateway, n);
  const proposed = await send(chain, undefined, epochManager, 'proposeEpoch', [operators, salt]);
  const proposalId = idIn(proposed);

  const gas: Record<string, bigint> = { propose: proposed.gasUsed };
  const byQuorum = async (functionName: string, argsOf: (index: number) => unknown[]) => {
    for (let i = 1; i <= quorumOf(n); i++) {
      const args = argsOf(i);
      const receipt = await send(chain, operatorAccount(i), epochManager, functionName, args);
      // The first of several is the ordinary one; the last one also completes the step.
      const name = i < quorumOf(n) ? functionName : `${functionName} (last)`;
      gas[name] ??= receipt.gasUsed;
    }
  };
  await byQuorum('postDealing', (i) => [proposalId, dealingRoot(i, proposalId)]);
  await byQuorum('acknowledge', () => [proposalId, firstMembers(quorumOf(n))]);
  const { epochId } = await epochManager.read.proposal([proposalId]);
  await byQuorum('confirm', () => [epochId]);
  return { proposalId, epochId, gas };
}

function idIn({ logs }: TransactionReceipt): Hex {
  const [event] = parseEventLogs({ abi: epochManagerAbi, eventName: 'EpochProposed', logs });
  if (event === undefined) throw new TypeError('nothing was proposed');
  return event.args.proposalId;
}
