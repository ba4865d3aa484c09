import type { HDAccount } from 'viem/accounts';

import type { Gateway } from '../tasks/support/gateway.ts';
import { startChain, type ExecutionClient, type LocalChain } from './chain.ts';
import { deployKeyloom, openAs, type Deployment } from './deploy.ts';
import { Workspace } from './workspace.ts';

/** A local L2 with the gateway contracts on it. */
export interface Devnet extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly chain: LocalChain;
  readonly deployment: Deployment;
  /** The deployment, acting for one of the local accounts. */
  as(account: HDAccount): Promise<Gateway>;
  /** Ends every process and removes every file. */
  close(): Promise<void>;
}

/** Starts a chain and deploys to it, all in one go. */
export async function startDevnet(options: { client?: ExecutionClient } = {}): Promise<Devnet> {
  const workspace = new Workspace();
  try {
    const chain = await startChain(workspace, options);
    return assemble(workspace, chain, await deployKeyloom(workspace, chain));
  } catch (error) {
    await workspace.close();
    throw error;
  }
}

/** A devnet out of its parts, for those who start them one by one. */
export function assemble(workspace: Workspace, chain: LocalChain, deployment: Deployment): Devnet {
  return {
    workspace,
    chain,
    deployment,
    as: (account) => openAs(chain, deployment, account),
    close: () => workspace.close(),
    [Symbol.asyncDispose]: () => workspace.close(),
  };
}
