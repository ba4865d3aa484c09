import type { Hex } from 'viem';

import { stateHash, type PowersState } from '../../ceremony/state.ts';
import type { GatewayState } from '../../chain/state.ts';
import type { NeededKey } from '../../computations/keys.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import { entryName } from './recorded-entries.ts';

// What a verdict rests on that a handle does not commit to. One endpoint said it, and others have not agreed
// yet: a verdict holds only while the chain goes on saying the same.

/** A fact as it is kept with a verdict. */
export const factOf = {
  publicKey: (keyId: Hex, digest: Hex): string => `public-key/${keyId}/${digest}`,
  /** Of powers of tau of an epoch: the hash of a state commits to all that verifying takes of them. */
  powers: (epochId: Hex, hash: Hex): string => `powers/${epochId}/${hash}`,
  entry: (needed: NeededKey, digest: Hex): string => `entry/${entryName(needed)}/${digest}`,
} as const;

/** True if the chain says so now. */
export function isFact({ now, recordedEntries }: ChainState, fact: string): boolean {
  const [kind, ...rest] = fact.split('/');
  if (kind === 'public-key') return now.keys.get(rest[0] as Hex)?.digest === rest[1];
  if (kind === 'powers')
    return recordedPowers(now, rest[0] as Hex).some((one) => stateHash(one) === rest[1]);
  const digest = rest.pop() as Hex;
  return recordedEntries.of(rest.join('/')).includes(digest);
}

/**
 * States of the powers of tau that an epoch has recorded, and that are not revoked. Who knows tau proves
 * anything, and t+1 of another committee may be fewer, or worse, than those whom a key's secrecy rests on.
 */
export function recordedPowers({ ceremonies }: GatewayState, epochId: Hex): PowersState[] {
  return [...ceremonies.values()].flatMap(({ epochId: held, state, contributions, result }) => {
    const last = contributions.at(-1)?.next;
    const isResult = last !== undefined && state === 'recorded' && stateHash(last) === result;
    return isResult && held === epochId ? [last] : [];
  });
}
