import {
  encodeFunctionData,
  isAddressEqual,
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type EncodeFunctionDataParameters,
  type LocalAccount,
  type PublicClient,
  type TransactionReceipt,
} from 'viem';
import { isKeyloomError } from '../errors.ts';
import { broadcast, insufficientFunds } from './broadcast.ts';
import { ChainError, ChainErrorCode, type WarningHandler } from './errors.ts';
import {
  currentPrice,
  defaultCaps,
  feeCapReached,
  feesAt,
  isAboveCap,
  replacementFees,
  type GasPrice,
  type SpendingCaps,
} from './fees.ts';
import {
  freeNonce,
  gapsBelow,
  outOfReach,
  type PendingTransaction,
  type TransactionJournal,
} from './nonces.ts';
import { Patience } from './patience.ts';
import { backoffMs, pause, rpcError } from './rpc.ts';
import { Spending } from './spending.ts';
import {
  fillerPayload,
  findReceipt,
  isKnown,
  parseSigned,
  revertReason,
  signTransaction,
  simulate,
  type Payload,
} from './transactions.ts';

/** A call of a contract. */
export interface ContractCall<
  abi extends Abi | readonly unknown[] = Abi,
  name extends ContractFunctionName<abi> = ContractFunctionName<abi>,
> {
  readonly address: Payload['to'];
  readonly abi: abi;
  readonly functionName: name;
  readonly args: ContractFunctionArgs<abi, 'nonpayable' | 'payable', name>;
}

/** Tells whether what a transaction is for has happened, by whomever. */
export type DoneCheck = () => Promise<boolean>;

export type Outcome = TransactionReceipt | 'already-done';

export interface SenderOptions {
  readonly client: PublicClient;
  readonly chainId: bigint;
  /** Sends and pays; used by nothing else, or nonces collide (which is healed, but slowly). */
  readonly account: LocalAccount;
  readonly journal: TransactionJournal;
  readonly pollMs: number;
  /** After this time without being mined a transaction is replaced at a higher fee. */
  readonly bumpAfterMs?: number;
  /** Blocks, its own included, after which a transaction counts as mined. */
  readonly confirmations?: number;
  readonly caps?: SpendingCaps;
  readonly onWarning?: WarningHandler;
}

interface Job {
  readonly key: string;
  readonly payload: Payload;
  readonly isDone: DoneCheck;
  readonly outcome: PromiseWithResolvers<Outcome>;
}

type Attempt = PendingTransaction['attempts'][number];

const defaultBumpAfterMs = 30_000;
/** What delays one transaction at every look is not said at every look. */
const warnAgainMs = 60_000;
const idleMs = 3_600_000;
/** Looks in a row at which a consumed nonce has no receipt of ours before it counts as lost. */
const missesUntilLost = 3;
/** More missing nonces than this below a pending one are not filled. */
const mostGaps = 16;
const fillerKey = (nonce: number) => `filler/${nonce}`;

/**
 * Sends transactions so that each purpose is served once, whatever crashes or gets lost.
 *
 * Every signed transaction is journaled before it is broadcast. One loop assigns nonces, so there
 * is at most one nonce per key at a time; it broadcasts again what the mempool has lost, replaces
 * what is stuck at a higher fee, and fills nonces that would hold up later ones. What nobody waits
 * for any more is replaced by a transfer of nothing, which is cheaper. While the network asks for
 * more than the caps nothing is sent, and everything waits.
 */
export class TransactionSender {
  readonly spending = new Spending();
  readonly #options: Required<Omit<SenderOptions, 'onWarning'>>;
  readonly #onWarning: WarningHandler;
  readonly #jobs = new Map<string, Job>();
  readonly #patience: Patience;
  /** By nonce: how often its receipt was missed. */
  readonly #misses = new Map<number, number>();
  readonly #warnedAt = new Map<string, number>();
  #alarm = new AbortController();
  #stopped: Error | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: SenderOptions) {
    this.#options = {
      bumpAfterMs: defaultBumpAfterMs,
      confirmations: 1,
      caps: defaultCaps,
      ...options,
    };
    this.#patience = new Patience(this.#options.bumpAfterMs);
    this.#onWarning = options.onWarning ?? (() => undefined);
  }

  /** For how long the oldest transaction has been pending; 0 if none is. */
  get longestPendingMs(): number {
    return this.#patience.longestMs;
  }

  /** Takes up what the journal has; `submit` does it too. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends the loop. Jobs fail with STOPPED; the journal keeps what was signed. */
  async stop(): Promise<void> {
    this.#stopped ??= new ChainError(ChainErrorCode.STOPPED, 'The sender was stopped.');
    this.#alarm.abort();
    await this.#loop;
    this.#failAll(this.#stopped);
  }

  /**
   * Gets a call onto the chain, once, however often it takes.
   *
   * @param key names the purpose; while one submission of it is under way, others join it. After a
   *   restart the same key takes up the transaction that the journal has for it.
   * @param isDone asked before anything is sent and while it is pending
   * @returns the receipt of the successful transaction, or 'already-done' if the purpose was
   *   served by somebody else
   * @throws ChainError REVERTED with `errorName` and `errorArgs` if the contract refuses the call
   *   (then usually nothing has been sent), GAS_CAP_EXCEEDED, STOPPED. A price above the caps and an
   *   empty account are no failures: it is sent once that has changed
   */
  submit<const abi extends Abi | readonly unknown[], name extends ContractFunctionName<abi>>(
    key: string,
    call: ContractCall<abi, name>,
    isDone: DoneCheck,
  ): Promise<Outcome> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const known = this.#jobs.get(key);
    if (known !== undefined) return known.outcome.promise;
    const data = encodeFunctionData(call as unknown as EncodeFunctionDataParameters);
    const outcome = Promise.withResolvers<Outcome>();
    this.#jobs.set(key, { key, payload: { to: call.address, data }, isDone, outcome });
    this.start();
    this.#alarm.abort();
    return outcome.promise;
  }

  async #run(): Promise<void> {
    const { journal, pollMs } = this.#options;
    let failures = 0;
    while (this.#stopped === undefined) {
      try {
        if (this.#jobs.size === 0 && journal.pending().length === 0) {
          await this.#sleep(idleMs);
          continue;
        }
        const placed = await this.#look();
        failures = 0;
        // Where blocks are made at once it is mined already.
        if (!placed) await this.#sleep(pollMs);
      } catch (error) {
        // Without its journal the sender sends nothing. Who waits is told, and may try again.
        if (isKeyloomError(error) && !(error instanceof ChainError)) this.#failAll(error);
        else this.#onWarning(rpcError(error));
        failures += 1;
        await this.#sleep(backoffMs(pollMs, failures));
      }
    }
  }

  /** Sleeps until the time is over, a job comes or the sender is stopped. */
  async #sleep(ms: number): Promise<void> {
    await pause(ms, this.#alarm.signal);
    this.#alarm = new AbortController();
  }

  /** Looks at the chain once and does what there is to do. @returns true if a job was sent */
  async #look(): Promise<boolean> {
    const { client, account, journal, caps } = this.#options;
    const count = await client.getTransactionCount({ address: account.address });
    for (const transaction of journal.pending()) {
      if (transaction.nonce < count) await this.#guarded(() => this.#settle(transaction));
    }
    for (const { nonce } of outOfReach(count, journal.pending(), mostGaps)) this.#forget(nonce);
    const price = await currentPrice(client);
    const isTooHigh = isAboveCap(price, caps);
    if (isTooHigh)
      this.#warn(feeCapReached('The base fee exceeds the cap.', price.baseFeePerGas, caps));
    let placed = false;
    for (const job of [...this.#jobs.values()]) {
      placed = (await this.#guarded(() => this.#advance(job, count, price))) || placed;
    }
    for (const nonce of isTooHigh ? [] : gapsBelow(count, journal.pending())) {
      await this.#guarded(() => this.#sign(nonce, fillerKey(nonce), undefined, price));
    }
    for (const transaction of journal.pending()) {
      if (transaction.nonce >= count) await this.#guarded(() => this.#tend(transaction, price));
    }
    return placed;
  }

  /** Runs a step for one transaction: if it fails, the others still get theirs. */
  async #guarded(step: () => Promise<boolean>): Promise<boolean> {
    try {
      return await step();
    } catch (error) {
      if (isKeyloomError(error) && !(error instanceof ChainError)) throw error;
      this.#warn(rpcError(error));
      return false;
    }
  }

  #warn(error: ChainError): void {
    const now = performance.now();
    if (now - (this.#warnedAt.get(error.code) ?? -Infinity) < warnAgainMs) return;
    this.#warnedAt.set(error.code, now);
    this.#onWarning(error);
  }

  /** Concludes a nonce that the chain has consumed. @returns false if that has to wait */
  async #settle(transaction: PendingTransaction): Promise<boolean> {
    const { client, confirmations } = this.#options;
    const { nonce, key, attempts } = transaction;
    const receipt = await findReceipt(client, attempts.map(({ hash }) => hash).reverse());
    if (receipt === undefined) {
      const misses = (this.#misses.get(nonce) ?? 0) + 1;
      this.#misses.set(nonce, misses);
      if (misses >= missesUntilLost) this.#forget(nonce);
      return false;
    }
    if (confirmations > 1) {
      const latest = await client.getBlockNumber({ cacheTime: 0 });
      if (latest - receipt.blockNumber + 1n < BigInt(confirmations)) return false;
    }
    const job = this.#jobs.get(key);
    const mined = attempts.find(({ hash }) => hash === receipt.transactionHash);
    const isFiller = mined !== undefined && this.#isFiller(mined.raw);
    const conclude =
      job === undefined || mined === undefined || isFiller
        ? undefined
        : await this.#conclusion(job, parseSigned(mined.raw), receipt);
    this.#forget(nonce);
    conclude?.();
    this.spending.mined(receipt, isFiller);
    return true;
  }

  /** What a mined transaction means for the job that it is for. */
  async #conclusion(job: Job, payload: Payload, receipt: TransactionReceipt): Promise<() => void> {
    const { client, account } = this.#options;
    if (receipt.status === 'success') return () => this.#finish(job, receipt);
    if (await job.isDone()) return () => this.#finish(job, 'already-done');
    const reason = await revertReason(client, account.address, payload, receipt);
    return () => this.#fail(job, reason);
  }

  /** Brings a job further: finds it done, or signs its transaction. @returns true if it was sent */
  async #advance(job: Job, count: number, price: GasPrice): Promise<boolean> {
    const { client, journal, caps } = this.#options;
    const pending = journal.pending();
    const own = pending.find(({ key }) => key === job.key);
    if (await job.isDone()) {
      const hashes = own?.attempts.map(({ hash }) => hash) ?? [];
      // Its own transaction may just have done it: then the receipt is the outcome.
      if ((await findReceipt(client, hashes)) !== undefined) return false;
      // Otherwise the contract would refuse it, for more gas than a transfer takes.
      if (own !== undefined) this.#patience.end(own.nonce);
      this.#finish(job, 'already-done');
      return false;
    }
    if (own !== undefined || isAboveCap(price, caps)) return false;
    return this.#sign(freeNonce(count, pending), job.key, job, price);
  }

  /** Keeps a pending transaction in the mempool, at a fee at which it will be mined. */
  async #tend({ nonce, key, attempts }: PendingTransaction, price: GasPrice): Promise<boolean> {
    const { client, caps } = this.#options;
    const latest = attempts.at(-1);
    if (latest === undefined) return false;
    if (isAboveCap(price, caps)) {
      // No replacement would be mined either. Once one would be, this one may be as well.
      this.#patience.begin(nonce, price.height);
      return false;
    }
    if (this.#patience.isOver(nonce, price.height)) {
      // Once per period, also if it fails.
      this.#patience.begin(nonce, price.height);
      return this.#sign(nonce, key, this.#jobs.get(key), price, latest.raw);
    }
    if (await isKnown(client, latest.hash)) return false;
    this.spending.counts.resent += 1;
    await this.#broadcast(nonce, latest.raw);
    return false;
  }

  /**
   * Signs for a nonce, journals and broadcasts it.
   *
   * @param job what the transaction is for; without one it does nothing but consume the nonce
   * @param replaced the signed transaction that it replaces
   * @returns false if the job turned out to be done or refused, and nothing was sent
   */
  async #sign(
    nonce: number,
    key: string,
    job: Job | undefined,
    price: GasPrice,
    replaced?: Attempt['raw'],
  ): Promise<boolean> {
    const { client, account, chainId, journal, caps } = this.#options;
    const payload = job?.payload ?? fillerPayload(account.address);
    let gas: bigint;
    try {
      gas = await simulate(client, account.address, payload, caps);
    } catch (error) {
      if (job === undefined || !(error instanceof ChainError)) throw error;
      if (await job.isDone()) this.#finish(job, 'already-done');
      else {
        this.spending.counts.refused += 1;
        this.#fail(job, error);
      }
      return false;
    }
    const current = feesAt(price, caps);
    const fees =
      replaced === undefined ? current : replacementFees(parseSigned(replaced), current, caps);
    const balanceWei = await client.getBalance({ address: account.address });
    const costWei = gas * fees.maxFeePerGas;
    if (balanceWei < costWei) throw insufficientFunds({ balanceWei, costWei });
    const signed = await signTransaction(account, chainId, payload, { ...fees, nonce, gas });
    journal.record(nonce, key, signed);
    this.#patience.begin(nonce, price.height);
    this.spending.counts[replaced === undefined ? 'sent' : 'replaced'] += 1;
    await this.#broadcast(nonce, signed.raw);
    return true;
  }

  /** Hands a transaction to the endpoint; one that pays too little for it is replaced at the next look. */
  async #broadcast(nonce: number, raw: Attempt['raw']): Promise<void> {
    try {
      await broadcast(this.#options.client, raw);
    } catch (error) {
      if (isKeyloomError(error, ChainErrorCode.UNDERPRICED)) this.#patience.end(nonce);
      throw error;
    }
  }

  #isFiller(raw: Attempt['raw']): boolean {
    const { to, data } = parseSigned(raw);
    return data === '0x' && isAddressEqual(to, this.#options.account.address);
  }

  #forget(nonce: number): void {
    this.#options.journal.settle(nonce);
    this.#patience.forget(nonce);
    this.#misses.delete(nonce);
  }

  #finish(job: Job, outcome: Outcome): void {
    this.#jobs.delete(job.key);
    job.outcome.resolve(outcome);
  }

  #fail(job: Job, error: unknown): void {
    this.#jobs.delete(job.key);
    job.outcome.reject(error);
  }

  #failAll(error: unknown): void {
    for (const job of [...this.#jobs.values()]) this.#fail(job, error);
  }
}
