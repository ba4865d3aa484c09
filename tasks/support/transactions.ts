import {
  BaseError,
  ContractFunctionRevertedError,
  decodeErrorResult,
  InsufficientFundsError,
  type Abi,
  type Account,
  type Address,
  type Chain,
  type ContractFunctionName,
  type ContractFunctionParameters,
  type Hex,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from 'viem';

import { gatewayErrorsAbi } from '../../workers/chain/abi.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';

/** What a contract said when it refused a call. */
export interface Refusal {
  errorName: string;
  args: readonly unknown[];
}

/** The account that acts for the user. @throws ClientError `NO_ACCOUNT` */
export function walletOf(gateway: Gateway): WalletClient<Transport, Chain, Account> {
  if (gateway.wallet !== undefined) return gateway.wallet;
  throw new ClientError(ClientErrorCode.NO_ACCOUNT, 'this needs an account to send from', {
    advice: 'Give the network an account in hardhat.config.ts, or choose one with --from.',
  });
}

/**
 * Simulates a call, sends it and waits for its receipt. `explain` may turn a contract's custom error
 * into one that fits the situation; others become `REVERTED`, or `NOT_AUTHORISED` for a missing role.
 */
export async function send<
  const A extends Abi | readonly unknown[],
  N extends ContractFunctionName<A, 'nonpayable'>,
>(
  gateway: Gateway,
  call: ContractFunctionParameters<A, 'nonpayable', N>,
  explain?: (refusal: Refusal) => ClientError | undefined,
): Promise<TransactionReceipt> {
  const wallet = walletOf(gateway);
  const untyped = call as unknown as Parameters<typeof gateway.client.simulateContract>[0];
  try {
    const { request } = await gateway.client.simulateContract({
      ...untyped,
      account: wallet.account,
    });
    const hash = await wallet.writeContract(request as Parameters<typeof wallet.writeContract>[0]);
    const receipt = await gateway.client.waitForTransactionReceipt({ hash });
    if (receipt.status === 'success') return receipt;
  } catch (cause) {
    throw translated(cause, String(call.functionName), wallet.account.address, explain);
  }
  // The state changed between simulation and inclusion.
  throw new ClientError(
    ClientErrorCode.REVERTED,
    `${String(call.functionName)} was included in a block and reverted there`,
    { advice: 'Run the same command again.' },
  );
}

/** Sends ETH to an account and waits until it is there. @throws ClientError `INSUFFICIENT_FUNDS` */
export async function sendEther(gateway: Gateway, to: Address, amountWei: bigint): Promise<void> {
  try {
    const hash = await walletOf(gateway).sendTransaction({ to, value: amountWei });
    await gateway.client.waitForTransactionReceipt({ hash });
  } catch (cause) {
    throw chainFailure(cause);
  }
}

function translated(
  cause: unknown,
  functionName: string,
  account: string,
  explain?: (refusal: Refusal) => ClientError | undefined,
): unknown {
  const refusal = refusalIn(cause);
  if (refusal === undefined) return chainFailure(cause);
  const explained = explain?.(refusal);
  if (explained !== undefined) return explained;
  const { errorName, args } = refusal;
  if (errorName === 'AccessManagedUnauthorized')
    return new ClientError(
      ClientErrorCode.NOT_AUTHORISED,
      `${account} does not have the role that ${functionName} needs`,
      {
        advice:
          'Ask the deployment’s governor for the role, or choose another account with --from.',
        metadata: { account, functionName },
        cause,
      },
    );
  return new ClientError(
    ClientErrorCode.REVERTED,
    `${functionName} was refused: ${errorName}(${args.map(String).join(', ')})`,
    { metadata: { functionName, errorName }, cause },
  );
}

/** A failure of the chain, or of the way to it, as a coded error; anything else as it is. */
export function chainFailure(cause: unknown): unknown {
  if (!(cause instanceof BaseError)) return cause;
  if (cause.walk((error) => error instanceof InsufficientFundsError) !== null)
    return new ClientError(
      ClientErrorCode.INSUFFICIENT_FUNDS,
      'the account does not have enough ETH for the transaction',
      { advice: 'Fund it, or choose another account with --from.', cause },
    );
  return new ClientError(ClientErrorCode.RPC_FAILED, `the chain refused: ${cause.shortMessage}`, {
    advice: 'Check the RPC endpoint and run the same command again.',
    cause,
  });
}

/**
 * The custom error inside a failed call, if there is one. It may come from another contract than the
 * one called, so it is looked up in all of them.
 */
export function refusalIn(cause: unknown): Refusal | undefined {
  if (!(cause instanceof BaseError)) return undefined;
  const reverted = cause.walk((error) => error instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) return undefined;
  if (reverted.data !== undefined)
    return { errorName: reverted.data.errorName, args: reverted.data.args ?? [] };
  return (
    foreignRefusal(reverted.raw) ?? {
      errorName: reverted.reason ?? reverted.signature ?? 'without a reason',
      args: [],
    }
  );
}

function foreignRefusal(data: Hex | undefined): Refusal | undefined {
  if (data === undefined) return undefined;
  try {
    const { errorName, args } = decodeErrorResult({ abi: gatewayErrorsAbi, data });
    return { errorName, args: args ?? [] };
  } catch (error) {
    // Not an error of any of the contracts.
    if (!(error instanceof BaseError)) throw error;
    return undefined;
  }
}
