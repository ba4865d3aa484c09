import { BaseError, decodeErrorResult, isHex, type Hex } from 'viem';
import { gatewayErrorsAbi } from './abi.ts';
import { ChainError, ChainErrorCode } from './errors.ts';
import { rpcError } from './rpc.ts';

/**
 * The coded form of a failed `eth_call` or `eth_estimateGas` if the contract reverted; undefined if
 * the request failed for another reason.
 *
 * The error may come from any gateway contract: they call each other.
 */
export function revertError(error: unknown): ChainError | undefined {
  if (rpcError(error).code === ChainErrorCode.RPC_UNREACHABLE) return undefined;
  const data = revertData(error);
  if (data === undefined) return undefined;
  return new ChainError(ChainErrorCode.REVERTED, 'The contract refuses the transaction.', {
    metadata: decodeRevert(data),
    cause: error,
  });
}

/** Name and arguments of a contract's error; the selector stands for an unknown one. */
function decodeRevert(data: Hex): { errorName?: string; errorArgs?: string } {
  if (data === '0x') return {};
  try {
    const { errorName, args } = decodeErrorResult({ abi: gatewayErrorsAbi, data });
    return { errorName, errorArgs: JSON.stringify(args ?? [], bigintAsText) };
  } catch {
    return { errorName: data.slice(0, 10) };
  }
}

const bigintAsText = (_: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

/** What the contract reverted with, `0x` if it gave nothing; undefined if it did not revert. */
function revertData(error: unknown): Hex | undefined {
  if (!(error instanceof BaseError)) return undefined;
  let found: Hex | undefined;
  let reverted = false;
  error.walk((cause) => {
    // Nodes give the data as the error's data, or one level deeper.
    const data = (cause as { data?: unknown }).data;
    const inner = (data as { data?: unknown } | null | undefined)?.data;
    for (const candidate of [data, inner]) if (isHex(candidate)) found ??= candidate;
    reverted ||= /revert|invalid ?(fe)?opcode/i.test(cause instanceof Error ? cause.message : '');
    return false;
  });
  return found ?? (reverted ? '0x' : undefined);
}
