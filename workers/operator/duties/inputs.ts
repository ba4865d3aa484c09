import type { Hex } from 'viem';

import type { CiphertextEntry } from '../../chain/state.ts';
import { isKeyloomError, type ErrorMetadata } from '../../errors.ts';
import { ciphertextLength, firstLimbs } from '../../fhe/ciphertext.ts';
import { FheError } from '../../fhe/errors.ts';
import { prepare, type DecryptionInput } from '../../protocols/decryption-input.ts';
import { ProtocolError } from '../../protocols/errors.ts';
import { parseRecipient, type Recipient } from '../../protocols/recipient.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { fetchBlob, unlessGone } from '../public/blobs.ts';

/**
 * Brings the inputs of a request into the own store, and verifies those that were not verified here yet. This
 * may take as long as peers let it, so it comes before the request takes a place; nothing of it stays in
 * memory.
 *
 * @param publicKeyDigest of the user, if it is for one
 * @throws OperatorError BLOB_UNAVAILABLE, COMPUTATION_FAILED, REQUEST_UNSERVABLE
 */
export async function fetchInputs(
  context: OperatorContext,
  seat: Place,
  ciphertexts: readonly CiphertextEntry[],
  publicKeyDigest: Hex | undefined,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<void> {
  for (const entry of ciphertexts) {
    await requireVerified(context, entry, signal);
    await context.verification.bring(entry, signal);
  }
  if (publicKeyDigest === undefined || (await context.store.blobs.has(publicKeyDigest))) return;
  const longest = ciphertextLength(set, set.primes.length);
  await fetchBlob(context, peerIdsOf(seat), publicKeyDigest, longest, signal);
}

/**
 * Resolves if the chain says of a ciphertext what this operator has found out itself. That 2t+1 operators
 * have signed for it is not enough: no share of an oracle can be taken back.
 *
 * @throws OperatorError REQUEST_UNSERVABLE; BLOB_UNAVAILABLE, COMPUTATION_FAILED, which may pass
 */
async function requireVerified(
  { verification }: OperatorContext,
  entry: CiphertextEntry,
  signal: AbortSignal,
): Promise<void> {
  const { handle, limbs, noiseBits } = entry;
  const verdict = await verification.verdictOf(entry, signal).catch((error: unknown) => {
    if (!isKeyloomError(error) || mayPass.includes(error.code)) throw error;
    const { code, metadata, message } = error;
    const cause = metadata['cause'] ?? code;
    throw unservable(`an input is not what it is registered as: ${message}`, { handle, cause });
  });
  if (verdict.limbs === limbs && verdict.noiseBits === noiseBits) return;
  throw unservable(
    `an input is registered with ${noiseBits} bits of noise at ${limbs} primes, and has ` +
      `${verdict.noiseBits} at ${verdict.limbs}`,
    {
      ...{ handle, limbs, noiseBits },
      ...{ foundLimbs: verdict.limbs, foundNoiseBits: verdict.noiseBits },
    },
  );
}

/** Why a verification comes to nothing that says nothing of what is verified. */
const mayPass: readonly string[] = [
  OperatorErrorCode.BLOB_UNAVAILABLE,
  OperatorErrorCode.COMPUTATION_FAILED,
  OperatorErrorCode.STOPPED,
];

/**
 * Loads a ciphertext and brings it to the decryption level. What the chain says of it must be true: by now
 * 2t+1 operators agree on what it says, so that is compared again.
 *
 * @throws OperatorError BLOB_UNAVAILABLE, COMPUTATION_FAILED, REQUEST_UNSERVABLE
 */
export async function loadInput(
  context: OperatorContext,
  seat: Place,
  entry: CiphertextEntry,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<DecryptionInput> {
  const { handle, digest, limbs } = entry;
  await requireVerified(context, entry, signal);
  const prepared = (bytes: Uint8Array): DecryptionInput => {
    if (bytes.length !== ciphertextLength(set, limbs))
      throw unservable('the ciphertext is not at the level it is registered for', { handle });
    return servable('the registered ciphertext cannot be decrypted', { handle }, () =>
      prepare(seat.session.committee, set, bytes),
    );
  };
  const held = await unlessGone(context.store.blobs.use(digest, prepared));
  if (held !== undefined) return held;
  const longest = ciphertextLength(set, firstLimbs(set));
  return prepared(await fetchBlob(context, peerIdsOf(seat), digest, longest, signal));
}

/** The same for several, one after the other: what peers wait for comes in between. */
export async function loadInputs(
  context: OperatorContext,
  seat: Place,
  entries: readonly CiphertextEntry[],
  set: ParameterSet,
  signal: AbortSignal,
): Promise<DecryptionInput[]> {
  const inputs: DecryptionInput[] = [];
  for (const entry of entries) inputs.push(await loadInput(context, seat, entry, set, signal));
  return inputs;
}

/**
 * Loads the public key that a user decryption is for.
 *
 * @throws OperatorError BLOB_UNAVAILABLE, REQUEST_UNSERVABLE
 */
export async function loadRecipient(
  context: OperatorContext,
  seat: Place,
  digest: Hex,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<Recipient> {
  const longest = ciphertextLength(set, set.primes.length);
  const bytes = await fetchBlob(context, peerIdsOf(seat), digest, longest, signal);
  return servable('the user’s public key is malformed', { digest }, () =>
    parseRecipient(set, bytes),
  );
}

/** What `work` comes to. An error is never signed as a result: the request expires. */
export function servable<T>(why: string, metadata: ErrorMetadata, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FheError || error instanceof ProtocolError)
      throw unservable(why, { ...metadata, cause: error.code }, error);
    throw error;
  }
}

function unservable(why: string, metadata: ErrorMetadata, cause?: unknown): OperatorError {
  return new OperatorError(OperatorErrorCode.REQUEST_UNSERVABLE, why, { metadata, cause });
}

const peerIdsOf = (seat: Place): string[] => activePeers(seat).map(({ peerId }) => peerId);
