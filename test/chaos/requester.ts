import { bytesToHex, isAddressEqual, type Hex } from 'viem';

import { createUserKeys, uploadBlob, type UserKeys } from '../../sdk/index.ts';
import { computeAndRegister } from '../../tasks/support/computations.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { eventsOf } from '../../tasks/support/events.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { signPermit } from '../../tasks/support/permits.ts';
import { encryptAndRegister } from '../../tasks/support/proven.ts';
import { walletOf } from '../../tasks/support/transactions.ts';
import {
  requestUserDecryption,
  waitForUserDecryption,
} from '../../tasks/support/user-decryptions.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { SdkErrorCode } from '../../sdk/errors.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import type { Committee } from '../../workers/sharing/committee.ts';
import type { Item, Ledger } from './ledger.ts';
import type { Random } from './random.ts';

/** How long an answer may take to be downloaded; it is tried again. */
const READ_TIMEOUT_MS = 20_000;
/** Ciphertexts that one requester keeps to ask for again, and that it has before it asks. */
const KEPT = 12;
const WANTED = 3;

/** A key that ciphertexts may be under. */
export interface LoadKey {
  readonly keyId: Hex;
  readonly publicKey: Uint8Array;
}

/** A registered ciphertext and what is in it. */
interface Held {
  readonly handle: Hex;
  readonly keyId: Hex;
  readonly value: bigint;
  /** Encrypted, and not computed: a sum of sums has more noise than may be decrypted. */
  readonly isFresh: boolean;
}

/**
 * Somebody who encrypts numbers, computes with them and has them decrypted, one thing after the other. It knows
 * what must come out.
 */
export class Requester {
  readonly #gateway: Gateway;
  readonly #set: ParameterSet;
  readonly #committee: Committee;
  readonly #endpoints: readonly string[];
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #userKeys: UserKeys;
  /** Requests that it has made. */
  readonly asked: Item[] = [];
  #held: Held[] = [];

  /** @param gateway for an account that nobody else sends from */
  constructor(
    gateway: Gateway,
    context: {
      set: ParameterSet;
      committee: Committee;
      endpoints: readonly string[];
      ledger: Ledger;
    },
    random: Random,
  ) {
    this.#gateway = gateway;
    this.#set = context.set;
    this.#committee = context.committee;
    this.#endpoints = context.endpoints;
    this.#ledger = context.ledger;
    this.#random = random;
    this.#userKeys = createUserKeys(context.set);
  }

  /** Asks for the next thing. Returns once it is asked for; what is registered is done then, or refused. */
  async next(keys: readonly LoadKey[]): Promise<void> {
    this.#held = this.#held.filter(({ handle }) => this.#ledger.isUntouched(handle)).slice(-KEPT);
    const chosen = this.#random.next();
    if (this.#held.length < WANTED || chosen < 0.12)
      return this.register(this.#random.pick(keys.slice(-4)));
    if (chosen < 0.2) return this.#compute();
    if (chosen < 0.7) return this.#askPublicly(this.#some());
    return this.#askForUser(this.#some());
  }

  /** Encrypts a number under a key, with its proof. */
  async register({ keyId, publicKey }: LoadKey): Promise<void> {
    const value = BigInt(this.#random.integer(0, Number(this.#set.plainModulus) - 1));
    await this.#registering('registration', { keyId, value, isFresh: true }, () =>
      encryptAndRegister(this.#gateway, { keyId, publicKey, values: { scalar: value } }),
    );
  }

  /** Has a number under this key encrypted, registered and decrypted: the key is there. */
  async probe(key: LoadKey): Promise<void> {
    await this.register(key);
    const held = this.#held.findLast(({ keyId }) => keyId === key.keyId);
    if (held !== undefined) await this.#askPublicly([held]);
  }

  async #compute(): Promise<void> {
    const [a, b] = this.#sameKey(this.#held.filter(({ isFresh }) => isFresh));
    if (b === undefined) return this.#askPublicly(this.#some());
    const value = (a.value + b.value) % this.#set.plainModulus;
    await this.#registering('computation', { keyId: a.keyId, value, isFresh: false }, () =>
      computeAndRegister(this.#gateway, {
        ...{ expression: 'a + b', names: { a: a.handle, b: b.handle } },
      }),
    );
  }

  async #registering(
    kind: 'registration' | 'computation',
    content: Omit<Held, 'handle'>,
    register: () => Promise<{ handle: Hex }>,
  ): Promise<void> {
    const item = this.#ledger.open(kind, []);
    try {
      const { handle } = await register();
      // The same sum of the same numbers is the same ciphertext.
      if (!this.#held.some((one) => one.handle === handle)) this.#held.push({ ...content, handle });
      item.state = 'answered';
      item.tookMs = performance.now() - item.begunMs;
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      const refusals: string[] = [SdkErrorCode.REGISTRATION_REFUSED, SdkErrorCode.BLOB_REFUSED];
      item.state = refusals.includes(error.code) ? 'refused' : 'unsent';
      item.why = `${error.code}: ${error.message}`;
    }
  }

  async #askPublicly(asked: readonly Held[]): Promise<void> {
    const handles = asked.map(({ handle }) => handle);
    const item = this.#open('public', handles);
    // A number by its coefficient, which is on chain, or the whole plaintext, of which only the digest is.
    const positions = this.#random.chance(0.7) ? [0] : [];
    item.check = async () => {
      const { plaintexts } = await waitForDecryption(this.#gateway, item.id!, {
        timeoutMs: READ_TIMEOUT_MS,
      });
      return asked.every(({ value }, at) => plaintexts[at]?.coefficients?.[0] === value);
    };
    await this.#asking(item, () =>
      requestPublicDecryption(this.#gateway, { handles, positions, salt: this.#salt() }),
    );
  }

  async #askForUser(asked: readonly Held[]): Promise<void> {
    const keys = this.#userKeys;
    const handles = asked.map(({ handle }) => handle);
    const item = this.#open('user', handles);
    const salt = this.#salt();
    item.check = async () => {
      const { plaintexts } = await waitForUserDecryption(this.#gateway, item.id!, keys, {
        timeoutMs: READ_TIMEOUT_MS,
      });
      return asked.every(({ value }, at) => plaintexts[at]?.coefficients[0] === value);
    };
    await this.#asking(item, async () => {
      const signed = await signPermit(this.#gateway, {
        ...{ handles, publicKeyDigest: keys.digest, validSeconds: 86_400 },
      });
      try {
        const request = { ...signed, keys, handles, packed: true, salt };
        return await requestUserDecryption(this.#gateway, request);
      } catch (error) {
        // It is requested, and too few operators have the user's key to answer under yet.
        if (!isKeyloomError(error, SdkErrorCode.BLOB_REFUSED)) throw error;
        void this.#uploadUntilOver(item);
        return this.#requestedWith(salt);
      }
    });
  }

  #open(kind: 'public' | 'user', handles: readonly Hex[]): Item {
    const item = this.#ledger.open(kind, handles);
    this.asked.push(item);
    return item;
  }

  async #asking(item: Item, ask: () => Promise<Hex>): Promise<void> {
    try {
      item.id = await ask();
      item.state = 'open';
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      item.state = 'unsent';
      item.why = `${error.code}: ${error.message}`;
    }
  }

  async #uploadUntilOver(item: Item): Promise<void> {
    while (item.state === 'sending' || item.state === 'open') {
      try {
        await uploadBlob(this.#endpoints, this.#userKeys.publicKey, {
          needed: this.#committee.t + 1,
        });
        return;
      } catch (error) {
        if (!isKeyloomError(error)) throw error;
      }
    }
  }

  async #requestedWith(salt: Hex): Promise<Hex> {
    const events = await eventsOf(this.#gateway, {
      address: this.#gateway.addresses.decryptionGateway,
      abi: decryptionGatewayAbi,
      eventName: 'UserDecryptionRequested',
    });
    const me = walletOf(this.#gateway).account.address;
    return events.find(({ args }) => args.salt === salt && isAddressEqual(args.requester, me))!.args
      .requestId;
  }

  /** One to three ciphertexts under one key. */
  #some(): Held[] {
    return this.#sameKey(this.#held).slice(0, this.#random.integer(1, 3));
  }

  /** Those under the key of one that is chosen, in random order. */
  #sameKey(held: readonly Held[]): Held[] {
    if (held.length === 0) return [];
    const { keyId } = this.#random.pick(held);
    return this.#random.shuffled(held.filter((one) => one.keyId === keyId));
  }

  #salt(): Hex {
    return bytesToHex(Uint8Array.from({ length: 32 }, () => this.#random.integer(0, 255)));
  }
}
