import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from 'viem';

import type { Gateway } from '../../tasks/support/gateway.ts';
import { downloadPublicKey, labelOf, requestKey } from '../../tasks/support/keys.ts';
import { recordOf } from '../../tasks/support/requests.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { isPending, isRequest, type Item, type Ledger } from './ledger.ts';
import type { LoadKey, Requester } from './requester.ts';

const POLL_MS = 200;
/** One request in so many is for a key. */
const REQUESTS_PER_KEY = 12;
/** Requests that a requester may have open at once. */
const OPEN_PER_REQUESTER = 2;
/** Codes of answers that are recorded and are none. */
const wrongCodes: readonly string[] = ['RESULT_MISMATCH', 'ANSWER_INVALID'];

/** What is asked for, of whom. */
export interface Target {
  /** Asks for keys. */
  readonly governor: Gateway;
  readonly epochId: Hex;
  readonly set: ParameterSet;
}

/**
 * Asks all the time, in a closed loop: each requester has at most so much open, so that a slow machine is asked
 * for less and nothing depends on how fast it is. What is asked for is watched on chain until it is over.
 */
export class Load {
  readonly #target: Target;
  readonly #requesters: readonly Requester[];
  readonly #ledger: Ledger;
  readonly #keys: LoadKey[];
  readonly #over = new AbortController();
  readonly #reading = new Set<Item>();
  #isPaused = false;
  /** Loops of requesters that are in the middle of asking. */
  #busy = 0;
  #keysAsked = 0;
  #running: Promise<unknown> = Promise.resolve();

  /** @param keys that are there at the start */
  constructor(
    target: Target,
    requesters: readonly Requester[],
    keys: readonly LoadKey[],
    ledger: Ledger,
  ) {
    this.#target = target;
    this.#requesters = requesters;
    this.#keys = [...keys];
    this.#ledger = ledger;
  }

  get keys(): readonly LoadKey[] {
    return this.#keys;
  }

  /** @param failed told what the load itself could not cope with */
  start(failed: (error: unknown) => void): void {
    const loops = [
      ...this.#requesters.map((requester) => () => this.#step(requester)),
      () => this.#askForKey(),
      () => this.#watch(),
    ].map((step) => this.#repeat(step));
    this.#running = Promise.all(loops).catch((error: unknown) => {
      if (!this.#over.signal.aborted) failed(error);
    });
  }

  /** Asks for nothing more until it is resumed; returns once nobody is in the middle of asking. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    while (this.#busy > 0) await delay(POLL_MS, undefined, { signal: this.#over.signal });
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Has each key used once more, whatever it takes. */
  async probeKeys(): Promise<void> {
    const left = [...this.#keys];
    await Promise.all(
      this.#requesters.map(async (requester) => {
        for (let key = left.pop(); key !== undefined; key = left.pop()) await requester.probe(key);
      }),
    );
  }

  /** Ends it, without regard for what is open. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #repeat(step: () => Promise<void>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await step();
      await delay(POLL_MS, undefined, { signal: this.#over.signal }).catch(() => {});
    }
  }

  async #step(requester: Requester): Promise<void> {
    while (!this.#isPaused && !this.#over.signal.aborted) {
      if (requester.asked.filter(isPending).length >= OPEN_PER_REQUESTER) return;
      await this.#asking(() => requester.next(this.#keys));
    }
  }

  async #askForKey(): Promise<void> {
    const requests = this.#ledger.items.filter(isRequest);
    const isOpen = requests.some((item) => item.kind === 'key' && isPending(item));
    if (this.#isPaused || isOpen || requests.length < REQUESTS_PER_KEY * this.#keysAsked) return;
    this.#keysAsked += 1;
    await this.#asking(() => this.#requestKey());
  }

  async #asking(ask: () => Promise<void>): Promise<void> {
    this.#busy += 1;
    try {
      await ask();
    } finally {
      this.#busy -= 1;
    }
  }

  async #requestKey(): Promise<void> {
    const { governor, epochId, set } = this.#target;
    const item = this.#ledger.open('key', []);
    item.check = async () => {
      const keyId = item.id!;
      // Whether it is the key of the shares is seen by what is decrypted under it.
      this.#keys.push({ keyId, publicKey: await downloadPublicKey(governor, keyId) });
      return true;
    };
    try {
      const label = labelOf(`chaos ${this.#keysAsked}`);
      const { keyId } = await requestKey(governor, { epochId, set, label });
      item.id = keyId;
      item.state = 'open';
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      item.state = 'unsent';
      item.why = `${error.code}: ${error.message}`;
    }
  }

  async #watch(): Promise<void> {
    const { items } = this.#ledger;
    await Promise.all(items.filter(({ state }) => state === 'open').map((one) => this.#look(one)));
    for (const item of items) if (item.state === 'unread') void this.#read(item);
  }

  async #look(item: Item): Promise<void> {
    const contract = item.kind === 'key' ? 'keyManager' : 'decryptionGateway';
    const { state, account } = await recordOf(this.#target.governor, contract, item.id!);
    if (state === 'Answered') {
      item.tookMs = performance.now() - item.begunMs;
      item.state = 'unread';
    }
    // Expired, and the fee is given back.
    if (state === 'Expired' && account === undefined) item.state = 'expired';
  }

  async #read(item: Item): Promise<void> {
    if (this.#reading.has(item)) return;
    this.#reading.add(item);
    try {
      item.state = (await item.check()) ? 'answered' : 'wrong';
      if (item.state === 'wrong') item.why = 'it is not what was encrypted';
    } catch (error) {
      if (!isKeyloomError(error)) item.why = String(error);
      else item.why = `${error.code}: ${error.message}`;
      if (isKeyloomError(error) && wrongCodes.includes(error.code)) item.state = 'wrong';
    } finally {
      this.#reading.delete(item);
    }
  }
}
