import type { Address } from 'viem';
import { ProofError, ProofErrorCode } from './errors.ts';

/** What a proof is for: it holds for nothing else. */
export interface ProofContext {
  readonly chainId: bigint;
  /** The contract that registers the ciphertext. */
  readonly contract: Address;
  /** The account that registers it. */
  readonly user: Address;
}

/** The chain id as 32 bytes and the addresses as 20, as Solidity packs them. */
export function contextBytes({ chainId, contract, user }: ProofContext): Uint8Array {
  return concatenated([integerBytes(chainId), addressBytes(contract), addressBytes(user)]);
}

function integerBytes(value: bigint): Uint8Array {
  if (value < 0n || value >> 256n !== 0n) throw contextInvalid('chainId');
  return hexBytes(value.toString(16).padStart(64, '0'));
}

function addressBytes(address: Address): Uint8Array {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw contextInvalid('address');
  return hexBytes(address.slice(2));
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

function contextInvalid(what: string): ProofError {
  return new ProofError(ProofErrorCode.CONTEXT_INVALID, 'no such chain id or address', {
    metadata: { what },
  });
}

/** One array after the other. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
