import { encodeAbiParameters, keccak256, type Address, type Hex } from 'viem';

/** A log of a gateway contract: what the digest covers, and its place in the block. */
export interface GatewayLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly logIndex: number;
}

/** A confirmed block that has gateway logs, with the running digest that includes it. */
export interface GatewayBlock {
  readonly height: bigint;
  readonly hash: Hex;
  readonly logsDigest: Hex;
  /** In log order; at least one. */
  readonly logs: readonly GatewayLog[];
}

/** Digest before the first block. */
export const emptyLogsDigest: Hex = `0x${'00'.repeat(32)}`;

/**
 * Extends the running digest of the gateway's logs by one block (docs/formats.md, Log digest).
 *
 * Two operators whose endpoints gave them one different byte of one log have different digests from
 * that block on.
 */
export function nextLogsDigest(
  previous: Hex,
  block: Pick<GatewayBlock, 'height' | 'hash' | 'logs'>,
): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint64' }, { type: 'bytes32' }, { type: 'bytes32[]' }],
      [previous, block.height, block.hash, block.logs.map(logDigest)],
    ),
  );
}

function logDigest({ address, topics, data }: GatewayLog): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'address' }, { type: 'bytes32[]' }, { type: 'bytes' }],
      [address, [...topics], data],
    ),
  );
}
