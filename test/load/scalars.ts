import { sliceHex, type Hex } from 'viem';

import {
  agreeOnRegistration,
  encryptWithProof,
  SdkErrorCode,
  uploadBlob,
} from '../../sdk/index.ts';
import { membersOf, type Epoch } from '../../tasks/support/epochs.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { contextOf } from '../../tasks/support/proven.ts';
import { walletOf } from '../../tasks/support/transactions.ts';
import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { Sending } from './sending.ts';

/** A registered number. */
export interface Scalar {
  readonly handle: Hex;
  readonly value: bigint;
}

/** A key, and whom it belongs to. */
export interface LoadedKey {
  readonly set: ParameterSet;
  readonly keyId: Hex;
  readonly publicKey: Uint8Array;
}

/** Most handles that a request may name. */
export const HANDLES_PER_REQUEST = 16;

const SIGNATURE_BYTES = 65;
/** Registrations under way at once. */
const LANES = 4;
/** Of each registration. */
const ATTEMPTS = 5;

/**
 * Encrypts 0, 1, … with a proof each and registers them. Unlike a user, who needs a quorum, it waits for
 * all operators: afterwards none of them has a proof left to verify.
 */
export async function registerScalars(
  gateway: Gateway,
  epoch: Epoch,
  { set, keyId, publicKey }: LoadedKey,
  count: number,
): Promise<Scalar[]> {
  const members = await membersOf(gateway, epoch);
  const owner = walletOf(gateway).account.address;
  const context = { ...contextOf(gateway), user: owner };
  const { n, quorum } = epoch.committee;
  const sending = await Sending.open(gateway);
  const scalars: Scalar[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const value = BigInt(next++);
      const proven = await encryptWithProof(set, publicKey, { scalar: value }, context);
      const registration = { keyId, owner, ...proven };
      const all = { epochId: epoch.epochId, members, needed: n };
      const agreed = await insistOn(() => agreeOnRegistration(gateway, all, registration));
      const signatures = sliceHex(agreed.signatures, 0, quorum * SIGNATURE_BYTES);
      const signers = agreed.signerBitmap & ((1n << BigInt(quorum)) - 1n);
      const { ciphertextRegistry } = gateway.addresses;
      const args = [agreed.proven, signers, signatures] as const;
      await sending.send(ciphertextRegistry, ciphertextRegistryAbi, 'registerProven', args);
      const endpoints = members.map(({ endpoint }) => endpoint);
      for (const bytes of [proven.ciphertext, proven.proof])
        await insistOn(() => uploadBlob(endpoints, bytes, { needed: n }));
      scalars.push({ handle: agreed.handle, value });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await sending.settle();
  return scalars;
}

/** A busy operator, or a connection that it closed, is no reason to give up. */
async function insistOn<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = [SdkErrorCode.REGISTRATION_REFUSED, SdkErrorCode.BLOB_REFUSED];
      const isPassing = mayPass.some((code) => isKeyloomError(error, code));
      if (!isPassing || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Lists of numbers for requests, no two in the same order: what was opened for one is of no use for another.
 * The same for the same seed.
 */
export function listsOf(scalars: readonly Scalar[], count: number, seed: number): Scalar[][] {
  // A linear congruential generator: the order has to vary, not to be unpredictable.
  let state = seed + 1;
  const below = (most: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
  return Array.from({ length: count }, () => {
    const left = [...scalars];
    return Array.from(
      { length: Math.min(HANDLES_PER_REQUEST, left.length) },
      () => left.splice(below(left.length), 1)[0],
    );
  });
}
