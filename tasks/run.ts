import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre';
import type { NetworkConnection } from 'hardhat/types/network';
import { existsSync } from 'node:fs';
import { custom, getAddress, isAddressEqual, type Address } from 'viem';

import { isKeyloomError } from '../workers/errors.ts';
import type { CommonArguments } from './options.ts';
import { printFailure, printResult, ProgressPrinter, type TaskResult } from './output.ts';
import { DEPLOYMENT_FILE, readDeployment } from './support/deployment.ts';
import { ClientError, ClientErrorCode } from './support/errors.ts';
import { fileFailure } from './support/files.ts';
import { checkedAddress, openGateway, type Gateway } from './support/gateway.ts';
import { chainFailure } from './support/transactions.ts';

const DEVNET = 'devnet';

/** What a task's action works with. */
export interface TaskContext {
  gateway: Gateway;
  progress: ProgressPrinter;
}

interface Outcome {
  success: boolean;
  value?: undefined;
  error?: string;
}

/**
 * Makes a Hardhat action out of a task's body: opens the gateway, prints the result or the coded
 * error, and sets the exit code. Errors that cannot be given a code are bugs and left to Hardhat.
 *
 * @param accountNamed what the user says of the account to act as
 */
export function action<Args extends CommonArguments & { from?: string | undefined }>(
  body: (args: Args, context: TaskContext) => Promise<TaskResult>,
  accountNamed: (args: Args) => string | undefined = ({ from }) => from,
): (args: Args, hre: HardhatRuntimeEnvironment) => Promise<Outcome> {
  return async (args, hre) =>
    reported(args.json, async (progress) =>
      body(args, { gateway: await gatewayFor(args, accountNamed(args), hre), progress }),
    );
}

/** {@link action} for what needs neither chain nor gateway. */
export function localAction<Args extends { json: boolean }>(
  body: (args: Args, progress: ProgressPrinter) => Promise<TaskResult>,
): (args: Args) => Promise<Outcome> {
  return async (args) => reported(args.json, (progress) => body(args, progress));
}

async function reported(
  asJson: boolean,
  body: (progress: ProgressPrinter) => Promise<TaskResult>,
): Promise<Outcome> {
  using progress = new ProgressPrinter();
  try {
    const result = await body(progress);
    printResult(result, asJson);
    if (result.failure !== undefined) return { success: false, error: result.failure.code };
    return { success: true, value: undefined };
  } catch (cause) {
    const error = chainFailure(fileFailure(cause));
    if (!isKeyloomError(error)) throw cause;
    printFailure(error, asJson);
    return { success: false, error: error.code };
  }
}

/**
 * The gateway on the network of `--network`, which is the local one unless another is named. The local
 * network's address and RPC URL come from the file that `npm run devnet` writes, or the one named by
 * KEYLOOM_DEPLOYMENT.
 */
async function gatewayFor(
  args: CommonArguments,
  account: string | undefined,
  hre: HardhatRuntimeEnvironment,
): Promise<Gateway> {
  const network = hre.globalOptions.network ?? DEVNET;
  const named = args.gateway ?? process.env.KEYLOOM_GATEWAY;
  const file = process.env.KEYLOOM_DEPLOYMENT ?? DEPLOYMENT_FILE;
  const isLocal = network === DEVNET && (named === undefined || existsSync(file));
  const deployment = isLocal ? readDeployment(file) : undefined;
  const gateway = named === undefined ? deployment?.gateway : checkedAddress(named, 'the gateway');
  if (gateway === undefined)
    throw new ClientError(
      ClientErrorCode.GATEWAY_UNKNOWN,
      `no gateway address is known for network ${network}`,
      { advice: 'Give --gateway ADDRESS, or set KEYLOOM_GATEWAY.', metadata: { network } },
    );
  const connection = await hre.network.create(
    deployment === undefined ? { network } : { network, override: { url: deployment.rpcUrl } },
  );
  const transport = custom(connection.provider);
  return openGateway({ transport, gateway, account: await accountFor(connection, account) });
}

/** The network's account that a user names by address or number; its first one by default. */
async function accountFor(
  connection: NetworkConnection<string>,
  from: string | undefined,
): Promise<Address | undefined> {
  let accounts: Address[];
  try {
    const known: unknown = await connection.provider.request({ method: 'eth_accounts' });
    accounts = (known as Address[]).map((one) => getAddress(one));
  } catch (cause) {
    throw new ClientError(ClientErrorCode.RPC_UNREACHABLE, 'the RPC endpoint does not answer', {
      advice: 'Check that the chain is running and that the network has the right URL.',
      cause,
    });
  }
  if (from === undefined) return accounts[0];
  const wanted = /^\d{1,4}$/.test(from)
    ? accounts[Number(from)]
    : checkedAddress(from, 'the account');
  const found = accounts.find((one) => wanted !== undefined && isAddressEqual(one, wanted));
  if (found !== undefined) return found;
  throw new ClientError(ClientErrorCode.NO_ACCOUNT, `the network has no account ${from}`, {
    advice: `It has ${accounts.length}; add its key to the network in hardhat.config.ts.`,
    metadata: { from },
  });
}
