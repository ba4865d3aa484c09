import type { Address } from 'viem';

import {
  currentPrice,
  feesAt,
  isAboveCap,
  type GasPrice,
  type SpendingCaps,
} from '../../chain/fees.ts';
import type { OperatorContext } from '../context.ts';
import { pause } from '../waiting.ts';

/** How often the chain is looked at, and how long a look counts: asking for health costs no more. */
const LOOK_EVERY_MS = 5_000;
const LOOK_COUNTS_MS = 1_000;
/** How often balances and fees are read. */
const BALANCE_EVERY_MS = 30_000;

/** Gas of a transaction that an operator must be able to pay: most take less. */
const TRANSACTION_GAS = 1_000_000n;

/** Most that a transaction costs at a price, in wei. */
export function transactionCost(price: GasPrice, caps: SpendingCaps): bigint {
  return feesAt(price, caps).maxFeePerGas * TRANSACTION_GAS;
}

/** What was last seen of the chain. Times are of this machine. */
export interface ChainSight {
  readonly isReachable: boolean;
  readonly head: bigint | undefined;
  /** Since the head was first seen. */
  readonly unchangedSeconds: number;
  /** For how long blocks have been confirmed that the operator has not read; 0 if it has read all. */
  readonly lagSeconds: number;
  /** Whether all was read that was confirmed at some look. */
  readonly hasCaughtUp: boolean;
  /** This machine's clock minus the time of the latest block, when that was new; undefined before. */
  readonly clockOffsetSeconds: number | undefined;
  /** Of the signer; undefined until it was read. */
  readonly balanceWei: bigint | undefined;
  /** What a transaction costs now, at most. */
  readonly transactionWei: bigint | undefined;
  /** What every transaction pays per unit of gas, whatever its tip. */
  readonly baseFeeWei: bigint | undefined;
  /** Whether that is more than transactions may offer. */
  readonly isAboveCap: boolean | undefined;
  /** What the owner can withdraw in fees, in the fee token's smallest unit. */
  readonly feesWei: bigint | undefined;
}

/** Two clocks: the time of day, and one that nobody sets. Both in milliseconds. */
export interface Clocks {
  readonly timeOfDay: () => number;
  readonly steady: () => number;
}

const machineClocks: Clocks = { timeOfDay: () => Date.now(), steady: () => performance.now() };

/** Looks at the chain's head now and then, for health and metrics. */
export class ChainMonitor {
  readonly #context: Pick<OperatorContext, 'gateway' | 'account' | 'store' | 'spendingCaps'>;
  readonly #confirmations: bigint;
  readonly #owner: () => Address | undefined;
  readonly #clocks: Clocks;
  #look: { readonly at: number; readonly done: Promise<void> } | undefined;
  #isReachable = false;
  #head: { readonly height: bigint; readonly firstSeenAt: number } | undefined;
  #seenAt = -Infinity;
  #offset: number | undefined;
  /** The oldest confirmed height that was unread at a look. */
  #unread: { readonly height: bigint; readonly since: number } | undefined;
  #hasCaughtUp = false;
  #balances: Pick<
    ChainSight,
    'balanceWei' | 'transactionWei' | 'baseFeeWei' | 'isAboveCap' | 'feesWei'
  > = {
    ...{ balanceWei: undefined, transactionWei: undefined, feesWei: undefined },
    ...{ baseFeeWei: undefined, isAboveCap: undefined },
  };
  #balancesAt = -Infinity;

  /** @param owner whose fees they are, once it is known */
  constructor(
    context: Pick<OperatorContext, 'gateway' | 'account' | 'store' | 'spendingCaps'>,
    confirmations: number,
    owner: () => Address | undefined,
    clocks = machineClocks,
  ) {
    this.#context = context;
    this.#confirmations = BigInt(confirmations);
    this.#owner = owner;
    this.#clocks = clocks;
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      const everyMs = this.#hasCaughtUp ? LOOK_EVERY_MS : LOOK_COUNTS_MS;
      await pause(everyMs, signal).catch(() => undefined);
    }
  }

  /** What there is to see now, or was a second ago. Never rejects. */
  async look(): Promise<ChainSight> {
    const at = this.#clocks.steady();
    if (this.#look === undefined || at - this.#look.at >= LOOK_COUNTS_MS)
      this.#look = { at, done: this.#see() };
    await this.#look.done;
    return this.sight;
  }

  /** What the last look showed. */
  get sight(): ChainSight {
    const now = this.#clocks.steady();
    const since = (at: number | undefined): number => (at === undefined ? 0 : (now - at) / 1_000);
    return {
      isReachable: this.#isReachable,
      head: this.#head?.height,
      unchangedSeconds: since(this.#head?.firstSeenAt),
      lagSeconds: since(this.#unread?.since),
      hasCaughtUp: this.#hasCaughtUp,
      clockOffsetSeconds: this.#offset,
      ...this.#balances,
    };
  }

  async #see(): Promise<void> {
    const { client, endpoints } = this.#context.gateway;
    try {
      const { number, timestamp } = await client.getBlock({ blockTag: 'latest' });
      // What only one endpoint has is not read either.
      const head = await endpoints.pick().seconded(number);
      this.#isReachable = true;
      this.#note(head, timestamp);
    } catch {
      this.#isReachable = false;
      return;
    }
    // What cannot be read now is read at another look.
    await this.#readBalances().catch(() => undefined);
  }

  #note(height: bigint, timestamp: bigint): void {
    const now = this.#clocks.steady();
    const offset = this.#clocks.timeOfDay() / 1_000 - Number(timestamp);
    if (this.#head?.height !== height) {
      // Only a block that appeared between two looks is known to be new. One from the future is wrong anyway.
      if (now - this.#seenAt <= 2 * LOOK_EVERY_MS || offset < 0) this.#offset = offset;
      this.#head = { height, firstSeenAt: now };
    }
    this.#seenAt = now;
    const confirmed = height - this.#confirmations;
    const scanned = this.#context.store.blocks.scanned()?.height ?? -1n;
    if (this.#unread !== undefined && scanned >= this.#unread.height) {
      this.#unread = undefined;
      this.#hasCaughtUp = true;
    }
    if (scanned >= confirmed) this.#hasCaughtUp = true;
    else this.#unread ??= { height: confirmed, since: now };
  }

  async #readBalances(): Promise<void> {
    const now = this.#clocks.steady();
    if (now - this.#balancesAt < BALANCE_EVERY_MS) return;
    const { gateway, account, spendingCaps } = this.#context;
    const { client, contracts } = gateway;
    const owner = this.#owner();
    const [balanceWei, price, feesWei] = await Promise.all([
      client.getBalance({ address: account.address }),
      currentPrice(client),
      owner && contracts.feeVault.read.balanceOf([owner]),
    ]);
    this.#balances = {
      ...{ balanceWei, feesWei },
      transactionWei: transactionCost(price, spendingCaps),
      baseFeeWei: price.baseFeePerGas,
      isAboveCap: isAboveCap(price, spendingCaps),
    };
    this.#balancesAt = now;
  }
}
