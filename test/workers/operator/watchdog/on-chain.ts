import { keccak256, toHex, type Hex } from 'viem';
import { expect, onTestFinished } from 'vitest';

import type { GatewayClient, GatewayContracts } from '../../../../workers/chain/client.ts';
import { evidenceCall } from '../../../../workers/chain/evidence.ts';
import { TransactionSender } from '../../../../workers/chain/sender.ts';
import type { OperatorContext } from '../../../../workers/operator/context.ts';
import type { Evidence } from '../../../../workers/protocols/evidence.ts';
import { activateEpoch } from '../../../contracts/support/epoch.ts';
import {
  connectChain,
  deployGateway,
  operatorAccount,
  quorumOf,
  send,
} from '../../../contracts/support/gateway.ts';
import { recordOf } from '../../../contracts/support/keys.ts';
import { fixedDealings, startCommittee, type CommitteeOptions } from '../harness.ts';
import { set } from './opened.ts';

/** The contracts on a chain of this process, with an epoch that committees of the harness can be. */
export async function deployEpoch(n: number) {
  const chain = await connectChain();
  const deployed = await deployGateway(chain);
  await deployed.keyManager.write.addParameterSet([recordOf(set)]);
  let dealings: ReturnType<typeof fixedDealings> | undefined;
  const { proposalId, epochId } = await activateEpoch(
    chain,
    deployed,
    n,
    keccak256(toHex('epoch')),
    (index, of) => (dealings ??= fixedDealings(n, of)).get(index)!.root,
  );
  const { deployment, operatorRegistry, slashingManager } = deployed;
  const standing = Array.from({ length: quorumOf(n) }, (_, at) => at + 1);
  const gateway = {
    ...deployment,
    client: chain.client,
    deploymentBlock: 0n,
    contracts: deployed as unknown as GatewayContracts,
  } as unknown as GatewayClient;

  return {
    ...{ chain, deployed, epochId, gateway },

    /** Operators that are the epoch's committee; as often as a test needs them anew. */
    async start(options: CommitteeOptions = {}) {
      const anchor = { deployment, proposalId, standing, account: operatorAccount };
      const committee = await startCommittee(n, { ...options, anchor });
      expect(committee.epochId).toBe(epochId);
      return committee;
    },

    /** What an operator works with when it submits evidence. */
    submitting(context: OperatorContext, by = gateway): OperatorContext {
      const { client, chainId } = by;
      const { account, store } = context;
      const journal = store.transactions;
      const sender = new TransactionSender({ client, chainId, account, journal, pollMs: 10 });
      onTestFinished(() => sender.stop());
      return { ...context, gateway: by, sender };
    },

    /** Submits evidence as an account that has nothing to do with the committee's operators. */
    submit(evidence: Evidence) {
      const beneficiary = chain.outsider.account.address;
      const { functionName, args } = evidenceCall(slashingManager.address, evidence, beneficiary);
      return send(chain, undefined, slashingManager, functionName, args ?? []);
    },

    bondOf: async (index: number): Promise<bigint> =>
      (await operatorRegistry.read.getOperator([operatorAccount(index).address])).bondWei,
    /** How often an offence has been punished. */
    convictionsOf: async (offenceId: Hex): Promise<number> => {
      const { address, abi } = slashingManager;
      const proven = { address, abi, eventName: 'OffenceProven', fromBlock: 0n } as const;
      return (await chain.client.getContractEvents({ ...proven, args: { offenceId } })).length;
    },
  };
}

export type DeployedEpoch = Awaited<ReturnType<typeof deployEpoch>>;
