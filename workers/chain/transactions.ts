import {
  keccak256,
  parseTransaction,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  type Address,
  type Hex,
  type LocalAccount,
  type PublicClient,
  type TransactionReceipt,
} from 'viem';
import { ChainError, ChainErrorCode } from './errors.ts';
import type { Fees, SpendingCaps } from './fees.ts';
import { messageOf } from './messages.ts';
import { revertError } from './revert.ts';

/** What a transaction does. */
export interface Payload {
  readonly to: Address;
  readonly data: Hex;
}

/** A signed transaction, ready to be broadcast. */
export interface SignedTransaction {
  readonly hash: Hex;
  readonly raw: Hex;
}

/**
 * Executes a call on the latest block without sending it, and returns the gas it should be given.
 *
 * @throws ChainError REVERTED if it would fail now, GAS_CAP_EXCEEDED; errors of viem otherwise
 */
export async function simulate(
  client: PublicClient,
  from: Address,
  { to, data }: Payload,
  caps: SpendingCaps,
): Promise<bigint> {
  try {
    // On the latest block, not the pending one, where a transaction that this one replaces may have
    // been executed: the same call again would need less gas there.
    const request = { account: from, to, data, blockTag: 'latest' } as const;
    await client.call(request);
    const estimate = await client.estimateGas(request);
    // State may change before it is mined: a quarter more.
    const gas = estimate + estimate / 4n;
    if (gas <= caps.gas) return gas;
    throw tooMuchGas({ gas, cap: caps.gas });
  } catch (error) {
    if (error instanceof ChainError) throw error;
    // More than a block has, or than the endpoint executes.
    if (/out ?of ?gas|OOG\b|gas required exceeds/i.test(messageOf(error)))
      throw tooMuchGas({ cap: caps.gas }, error);
    throw revertError(error) ?? error;
  }
}

function tooMuchGas(metadata: { gas?: bigint; cap: bigint }, cause?: unknown): ChainError {
  const { GAS_CAP_EXCEEDED } = ChainErrorCode;
  const message = 'The transaction needs too much gas.';
  return new ChainError(GAS_CAP_EXCEEDED, message, { metadata, cause });
}

/** Why a mined transaction reverted, as far as executing it again on its block's state tells. */
export async function revertReason(
  client: PublicClient,
  from: Address,
  { to, data }: Payload,
  receipt: TransactionReceipt,
): Promise<ChainError> {
  const metadata = { transactionHash: receipt.transactionHash };
  try {
    await client.call({ account: from, to, data, blockNumber: receipt.blockNumber });
  } catch (error) {
    const reason = revertError(error);
    if (reason === undefined) throw error;
    return new ChainError(reason.code, reason.message, {
      metadata: { ...metadata, ...reason.metadata },
      cause: error,
    });
  }
  return new ChainError(ChainErrorCode.REVERTED, 'The transaction reverted.', { metadata });
}

/** Signs a payload as an EIP-1559 transaction. */
export async function signTransaction(
  account: LocalAccount,
  chainId: bigint,
  payload: Payload,
  terms: Fees & { readonly nonce: number; readonly gas: bigint },
): Promise<SignedTransaction> {
  const { nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = terms;
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: Number(chainId),
    ...{ nonce, gas, maxFeePerGas, maxPriorityFeePerGas },
    to: payload.to,
    data: payload.data,
    value: 0n,
  });
  return { raw, hash: keccak256(raw) };
}

/** A transfer of nothing to oneself: consumes a nonce. */
export function fillerPayload(account: Address): Payload {
  return { to: account, data: '0x' };
}

/** What a signed transaction does and offers. */
export function parseSigned(raw: Hex): Payload & Fees {
  const { to, data, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw as `0x02${string}`);
  return {
    to: to ?? '0x',
    data: data ?? '0x',
    maxFeePerGas: maxFeePerGas ?? 0n,
    maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n,
  };
}

/** The receipt of the first of these transactions that has been mined, or undefined. */
export async function findReceipt(
  client: PublicClient,
  hashes: readonly Hex[],
): Promise<TransactionReceipt | undefined> {
  for (const hash of hashes) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error;
    }
  }
  return undefined;
}

/** True if the endpoint has the transaction, in its mempool or in a block. */
export async function isKnown(client: PublicClient, hash: Hex): Promise<boolean> {
  try {
    await client.getTransaction({ hash });
    return true;
  } catch (error) {
    if (error instanceof TransactionNotFoundError) return false;
    throw error;
  }
}
