import { getAddress, isAddress, isHex, type Hex, type PublicClient } from 'viem';
import type { GatewayAddresses } from './client.ts';
import { ChainError, ChainErrorCode } from './errors.ts';
import type { GatewayLog } from './logs.ts';

/** Height and hash of a block. */
export interface BlockReference {
  readonly height: bigint;
  readonly hash: Hex;
}

/** A block with its gateway logs, not yet digested. */
export interface BlockWithLogs extends BlockReference {
  readonly logs: readonly GatewayLog[];
}

/** Hash of the block that the endpoint has at a height. @throws ChainError LOGS_INCONSISTENT */
export async function blockHashAt(client: PublicClient, height: bigint): Promise<Hex> {
  const block = await client.getBlock({ blockNumber: height });
  if (block.number !== height || !isWord(block.hash)) {
    throw inconsistent('The endpoint gave another block than was asked for.', height);
  }
  return lower(block.hash);
}

/**
 * Reads the gateway logs of a range of blocks and checks that the endpoint agrees with itself.
 *
 * Checked: every log is of one of the seven contracts, in the range, well-formed, in ascending order,
 * and of the block that the endpoint has at that height; and the last block of the range is the same
 * before and after. What is not checked here, logs left out or made up, shows in the log digest,
 * which operators compare.
 *
 * @returns blocks with at least one log, ascending, and the last block of the range
 * @throws ChainError LOGS_INCONSISTENT if a check fails: read again. Errors of viem otherwise.
 */
export async function readGatewayBlocks(
  client: PublicClient,
  addresses: GatewayAddresses,
  fromHeight: bigint,
  toHeight: bigint,
): Promise<{ blocks: BlockWithLogs[]; last: BlockReference }> {
  const hash = await blockHashAt(client, toHeight);
  const logs = await client.getLogs({
    address: Object.values<`0x${string}`>({ ...addresses }),
    fromBlock: fromHeight,
    toBlock: toHeight,
  });
  const known = new Set(Object.values<string>({ ...addresses }).map((a) => getAddress(a)));
  const blocks: { height: bigint; hash: Hex; logs: GatewayLog[] }[] = [];
  for (const log of logs) {
    const { blockNumber, blockHash, logIndex } = log;
    const wellFormed =
      isAddress(log.address) &&
      known.has(getAddress(log.address)) &&
      log.topics.length <= 4 &&
      log.topics.every(isWord) &&
      isHex(log.data) &&
      log.data.length % 2 === 0 &&
      Number.isSafeInteger(logIndex) &&
      isWord(blockHash) &&
      !log.removed;
    if (!wellFormed || blockNumber < fromHeight || blockNumber > toHeight) {
      throw inconsistent('The endpoint gave a log that was not asked for.', blockNumber);
    }
    let block = blocks.at(-1);
    if (block === undefined || block.height !== blockNumber) {
      if (block !== undefined && block.height > blockNumber) {
        throw inconsistent('The endpoint gave logs out of order.', blockNumber);
      }
      block = { height: blockNumber, hash: lower(blockHash), logs: [] };
      blocks.push(block);
    }
    const previous = block.logs.at(-1);
    if (block.hash !== lower(blockHash) || (previous && previous.logIndex >= logIndex)) {
      throw inconsistent('The endpoint gave logs that contradict each other.', blockNumber);
    }
    block.logs.push({
      address: lower(log.address),
      topics: log.topics.map(lower),
      data: lower(log.data),
      logIndex,
    });
  }
  for (const block of blocks) {
    if ((await blockHashAt(client, block.height)) !== block.hash) {
      throw inconsistent('The endpoint gave logs of a block that it does not have.', block.height);
    }
  }
  if ((await blockHashAt(client, toHeight)) !== hash) {
    throw inconsistent('The chain was reorganised while it was read.', toHeight);
  }
  return { blocks, last: { height: toHeight, hash } };
}

const lower = <T extends Hex>(hex: T): T => hex.toLowerCase() as T;
const isWord = (hex: unknown): boolean => typeof hex === 'string' && /^0x[0-9a-f]{64}$/i.test(hex);

function inconsistent(message: string, height: bigint): ChainError {
  return new ChainError(ChainErrorCode.LOGS_INCONSISTENT, message, { metadata: { height } });
}
