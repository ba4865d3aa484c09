import { BaseError, type Hex, type PublicClient } from 'viem';
import { ChainError, ChainErrorCode } from './errors.ts';
import { rpcError } from './rpc.ts';

/**
 * Hands a signed transaction to the endpoint; one that it knows already is fine.
 *
 * @throws ChainError INSUFFICIENT_FUNDS, BROADCAST_REFUSED, RPC_UNREACHABLE
 */
export async function broadcast(client: PublicClient, raw: Hex): Promise<void> {
  try {
    await client.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    if (hasAlready(error)) return;
    const said = messageOf(error);
    const failure = rpcError(error);
    if (failure.code === ChainErrorCode.RPC_UNREACHABLE) throw failure;
    throw /insufficient funds|enough funds|exceeds transaction sender account balance/i.test(said)
      ? new ChainError(ChainErrorCode.INSUFFICIENT_FUNDS, 'The account cannot pay for gas.', {
          cause: error,
        })
      : new ChainError(ChainErrorCode.BROADCAST_REFUSED, 'The endpoint refuses a transaction.', {
          cause: error,
        });
  }
}

/** True if an endpoint refuses a transaction that was broadcast before or mined meanwhile: the receipt will tell. */
export function hasAlready(error: unknown): boolean {
  const said = messageOf(error);
  return /already known|already imported|known transaction|nonce too low/i.test(said);
}

/** All messages in a chain of errors, where nodes put the only thing that tells refusals apart. */
function messageOf(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const messages: string[] = [];
  error.walk((cause) => {
    if (cause instanceof Error) messages.push(cause.message);
    return false;
  });
  return messages.join('\n');
}
