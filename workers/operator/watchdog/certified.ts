import type { Address, Hex } from 'viem';

import type { Deployment } from '../../chain/client.ts';
import type { Statement } from '../../chain/typed-data.ts';

/** A request whose result operators sign, and the contract that took it. */
export interface CertifiedRequest {
  readonly epochId: Hex;
  readonly requestId: Hex;
  readonly source: Address;
}

/**
 * What request a signed result is of; undefined of other statements, and of ceremonies: their result
 * depends on which contributions came first, so another one is no offence.
 */
export function certifiedRequest(
  { addresses }: Deployment,
  statement: Statement,
): CertifiedRequest | undefined {
  if (statement.type !== 'Result' || statement.contract === 'crsManager') return undefined;
  const { epochId, requestId } = statement.message;
  return { epochId, requestId, source: addresses[statement.contract] };
}
