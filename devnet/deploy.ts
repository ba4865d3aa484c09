import { createHardhatRuntimeEnvironment } from 'hardhat/hre';
import { join } from 'node:path';
import { parseEther, type Address } from 'viem';

import keyloomModule from '../deploy/modules/KeyloomDevnet.ts';
import projectConfig from '../hardhat.config.ts';
import { openGatewayAt, type Gateway } from '../tasks/support/gateway.ts';
import { addParameterSet } from '../tasks/support/parameters.ts';
import { depositFees, feeTokenOf } from '../tasks/support/payments.ts';
import { parameterSets } from '../workers/ring/parameters.ts';
import { governor, user } from './accounts.ts';
import { projectRoot, type LocalChain } from './chain.ts';
import type { Workspace } from './workspace.ts';

/** What a deployment is known by. */
export interface Deployment {
  /** DecryptionGateway. */
  gateway: Address;
  /** The token of bonds and fees; on a local chain anybody mints it. */
  bondToken: Address;
}

/** What those who ask have deposited for fees: more than they will need. */
const DEPOSIT_WEI = parseEther('1000');

const PARAMETERS = join(projectRoot, 'deploy/parameters/devnet.json');

/**
 * Deploys the gateway contracts with the project's own Ignition module, adds all parameter sets, and
 * deposits for fees, so that what requests take is not the time of deposits.
 *
 * Ignition's journal goes to the workspace: a local chain is a new one every time.
 */
export async function deployKeyloom(workspace: Workspace, chain: LocalChain): Promise<Deployment> {
  const hre = await createHardhatRuntimeEnvironment(
    {
      ...projectConfig,
      paths: { ...projectConfig.paths, ignition: join(workspace.folder, 'deploy') },
      networks: { local: { type: 'http', chainType: 'op', url: chain.rpcUrl } },
    },
    {},
    projectRoot,
  );
  const connection = await hre.network.create('local');
  try {
    const contracts = await connection.ignition.deploy(keyloomModule, {
      defaultSender: governor.address,
      parameters: PARAMETERS,
      config: { requiredConfirmations: 1, blockPollingInterval: 20 },
    });
    const { decryptionGateway, bondToken } = contracts as unknown as Record<
      'decryptionGateway' | 'bondToken',
      { address: Address }
    >;
    const deployment = { gateway: decryptionGateway.address, bondToken: bondToken.address };
    const gateway = await openAs(chain, deployment, governor);
    for (const set of parameterSets) await addParameterSet(gateway, set);
    const token = await feeTokenOf(gateway);
    for (const { address } of [governor, user])
      await depositFees(gateway, { token, account: address, amountWei: DEPOSIT_WEI });
    return deployment;
  } finally {
    await connection.close();
  }
}

/** The deployment as one of the local accounts sees it. */
export function openAs(
  chain: LocalChain,
  deployment: Deployment,
  account: typeof governor,
): Promise<Gateway> {
  return openGatewayAt({ rpcUrl: chain.rpcUrl, gateway: deployment.gateway, account });
}
