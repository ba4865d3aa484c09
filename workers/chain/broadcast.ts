import type { Hex, PublicClient } from 'viem';
import { ChainError, ChainErrorCode } from './errors.ts';
import { messageOf } from './messages.ts';
import { rpcError } from './rpc.ts';

/** What nodes say. Their codes do not tell refusals apart; docs/chain-trouble.md has who says what. */
const known = /already known|already imported|known transaction|nonce too low/i;
const poor = /insufficient funds|enough funds|exceeds transaction sender account balance/i;
const underpriced = /underpriced|less than block base fee|fee too low/i;

/**
 * Hands a signed transaction to the endpoint; one that it knows already is fine.
 *
 * @throws ChainError INSUFFICIENT_FUNDS, UNDERPRICED, BROADCAST_REFUSED, RPC_UNREACHABLE
 */
export async function broadcast(client: PublicClient, raw: Hex): Promise<void> {
  try {
    await client.sendRawTransaction({ serializedTransaction: raw });
  } catch (cause) {
    if (hasAlready(cause)) return;
    const said = messageOf(cause);
    const failure = rpcError(cause);
    if (failure.code === ChainErrorCode.RPC_UNREACHABLE) throw failure;
    if (poor.test(said)) throw insufficientFunds({}, cause);
    throw underpriced.test(said)
      ? new ChainError(ChainErrorCode.UNDERPRICED, 'The endpoint wants a higher fee.', { cause })
      : new ChainError(ChainErrorCode.BROADCAST_REFUSED, 'The endpoint refuses a transaction.', {
          cause,
        });
  }
}

/** True if an endpoint refuses a transaction that was broadcast before or mined meanwhile: the receipt will tell. */
export const hasAlready = (error: unknown): boolean => known.test(messageOf(error));

/** @param metadata wei that there are, and wei that it takes */
export function insufficientFunds(
  metadata: { balanceWei?: bigint; costWei?: bigint },
  cause?: unknown,
): ChainError {
  const { INSUFFICIENT_FUNDS } = ChainErrorCode;
  return new ChainError(INSUFFICIENT_FUNDS, 'The account cannot pay for gas.', { metadata, cause });
}
