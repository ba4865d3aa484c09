import { keccak256, type Hex } from 'viem';

import type { GatewayState } from '../../chain/state.ts';
import type { WrongResult } from '../../protocols/evidence.ts';

/** The result that is recorded of a key or a request, as it was signed; undefined if there is none yet. */
export function recordedResult(state: GatewayState, requestId: Hex): Hex | undefined {
  return (
    state.keys.get(requestId)?.digest ??
    state.evaluationKeys.get(requestId)?.digests ??
    state.requests.get(requestId)?.result ??
    state.userDecryptions.get(requestId)?.result
  );
}

/** Whether a signed result is the recorded one; undefined if none is recorded. */
export function isResultRight(
  state: GatewayState,
  { subject, resultHash }: WrongResult,
): boolean | undefined {
  const recorded = recordedResult(state, subject);
  return recorded && keccak256(recorded) === resultHash;
}
