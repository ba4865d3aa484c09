import type { ChainState } from '../chain-view/chain-state.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import type { Seats } from '../committee/seats.ts';
import type { OperatorContext } from '../context.ts';

/** What the list of duties is made from. */
export interface DutySources {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seats: Seats;
  readonly keyShares: KeyShares;
  /** Reads the chain again from a height on. */
  readonly reread: (height: bigint) => void;
}
