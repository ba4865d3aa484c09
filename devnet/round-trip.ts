import type { Hex } from 'viem';

import type { Registered } from '../tasks/support/ciphertexts.ts';
import { computeAndRegister } from '../tasks/support/computations.ts';
import { requestPublicDecryption, waitForDecryption } from '../tasks/support/decryptions.ts';
import { membersOf, type Epoch } from '../tasks/support/epochs.ts';
import type { Gateway } from '../tasks/support/gateway.ts';
import { encryptAndRegister, type RegisteredByProof } from '../tasks/support/proven.ts';
import {
  askAll,
  faultsNamed,
  fetchRequestView,
  type NamedFault,
} from '../tasks/support/operators.ts';
import type { Values } from '../workers/fhe/client.ts';
import type { ParameterSet } from '../workers/ring/parameters.ts';
import { user } from './accounts.ts';
import type { Devnet } from './devnet.ts';
import { DevnetError, DevnetErrorCode } from './errors.ts';
import { waitUntil } from './wait.ts';

/** For a machine that has much else to do. */
export const DECRYPTION_TIMEOUT_MS = 120_000;

/** What was encrypted, what came back, and how. */
export interface Outcome {
  requestId: Hex;
  expected: readonly bigint[];
  decrypted: readonly bigint[];
  /** Committee indices whose signatures the answer on chain carries. */
  signers: readonly number[];
  /** From the request's transaction to the plaintext. */
  decryptMs: number;
}

export interface RoundTripOptions {
  onProgress?: (text: string) => void;
}

/** Coefficients to ask for: the first one for a number, all of them for a vector. */
export const positionsOf = (values: Values): number[] => ('scalar' in values ? [0] : []);

/** Encrypts values under one key and asks the operators for them again, as a user does. */
export class RoundTrip {
  readonly devnet: Devnet;
  readonly set: ParameterSet;
  readonly keyId: Hex;
  readonly publicKey: Uint8Array;

  constructor(devnet: Devnet, set: ParameterSet, keyId: Hex, publicKey: Uint8Array) {
    this.devnet = devnet;
    this.set = set;
    this.keyId = keyId;
    this.publicKey = publicKey;
  }

  /** Encrypts, registers, requests and waits. */
  async run(values: Values, options: RoundTripOptions = {}): Promise<Outcome> {
    return this.decrypt(await this.register(values, options), values, options);
  }

  /** Encrypts and proves: the ciphertext is on chain as the user's and at the operators. */
  async register(values: Values, options: RoundTripOptions = {}): Promise<Registered> {
    const { onProgress } = options;
    return encryptAndRegister(await this.devnet.as(user), {
      keyId: this.keyId,
      publicKey: this.publicKey,
      values,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }

  /** Has the operators compute with registered ciphertexts: the result is the user's as well. */
  async compute(
    expression: string,
    names: Readonly<Record<string, Hex>>,
    { onProgress }: RoundTripOptions = {},
  ): Promise<RegisteredByProof> {
    return computeAndRegister(await this.devnet.as(user), {
      ...{ expression, names },
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }

  /** The user's part: asks for a number by its coefficient, for a vector as a whole. */
  async request({ handle }: RegisteredByProof, values: Values): Promise<Hex> {
    return requestPublicDecryption(await this.devnet.as(user), {
      handles: [handle],
      positions: positionsOf(values),
    });
  }

  /** The user's part to its end. */
  async decrypt(
    registered: RegisteredByProof,
    values: Values,
    options: RoundTripOptions = {},
  ): Promise<Outcome> {
    const started = performance.now();
    const requestId = await this.request(registered, values);
    const gateway = await this.devnet.as(user);
    const { plaintexts, signers } = await waitForDecryption(gateway, requestId, {
      timeoutMs: DECRYPTION_TIMEOUT_MS,
      pollMs: 50,
      onProgress: ({ text }) => options.onProgress?.(text),
    });
    const [plaintext] = plaintexts;
    const scalar = 'scalar' in values;
    return {
      requestId,
      expected: scalar ? [values.scalar] : padded(values.slots, this.set.degree),
      decrypted: (scalar ? plaintext?.coefficients : plaintext?.slots) ?? [],
      signers,
      decryptMs: Math.round(performance.now() - started),
    };
  }
}

/** @throws DevnetError DEMO_FAILED at the first value that differs */
export function requireMatch({ expected, decrypted, requestId }: Outcome): void {
  const wrong = expected.findIndex((value, index) => decrypted[index] !== value);
  if (wrong < 0 && decrypted.length === expected.length) return;
  throw new DevnetError(
    DevnetErrorCode.DEMO_FAILED,
    `Request ${requestId} gave ${decrypted[wrong]} at ${wrong} where ${expected[wrong]} was encrypted.`,
    { metadata: { requestId, at: wrong } },
  );
}

/** Waits until more operators than can be malicious report `index` as faulty in a request. */
export async function waitUntilNamed(
  gateway: Gateway,
  epoch: Epoch,
  requestId: Hex,
  index: number,
): Promise<NamedFault> {
  const members = await membersOf(gateway, epoch);
  return waitUntil(
    `the honest operators name operator ${index}`,
    async () => {
      const views = await askAll(members, (endpoint) => fetchRequestView(endpoint, requestId));
      return faultsNamed(views, epoch.committee.t).find((fault) => fault.index === index);
    },
    { deadlineMs: 30_000 },
  );
}

/**
 * Whether an operator has opened an answered request, once it has or knows that it is answered. A quorum
 * answers: who is slower, as after a start, finds nothing left to do and hands out no share, right or wrong.
 */
export function hasOpened(endpoint: string, requestId: Hex): Promise<boolean> {
  return waitUntil(`${endpoint} is done with ${requestId}`, async () => {
    const view = await fetchRequestView(endpoint, requestId);
    // Of the steps, this one comes next.
    if (view?.state === 'certifying' || view?.state === 'submitting') return true;
    return view?.state === 'recorded' ? 'certifying' in view.milliseconds : undefined;
  });
}

/** One value per slot, spread over the plaintext space and the same for the same seed. */
export function sampleSlots({ degree, plainModulus }: ParameterSet, seed: bigint): bigint[] {
  let state = seed + 1n;
  return Array.from({ length: degree }, () => {
    // A linear congruential generator: the values have to be varied, not unpredictable.
    state = (6_364_136_223_846_793_005n * state + 1_442_695_040_888_963_407n) % (1n << 64n);
    return (state >> 32n) % plainModulus;
  });
}

const padded = (slots: readonly bigint[], length: number): bigint[] =>
  Array.from({ length }, (_, index) => slots[index] ?? 0n);
