import { bytesToHex, concatBytes, type Hex } from 'viem';

import { decryptionGatewayAbi } from '../../chain/abi.ts';
import type { CiphertextEntry, RequestEntry } from '../../chain/state.ts';
import type { KeyloomError } from '../../errors.ts';
import { ciphertextLength, firstLimbs } from '../../fhe/ciphertext.ts';
import { FheError } from '../../fhe/errors.ts';
import { ProtocolError } from '../../protocols/errors.ts';
import type { Part } from '../../protocols/opening.ts';
import { publicDecryption, type Decryption } from '../../protocols/public-decryption.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { collectQuorum, waitForTurn } from './certify.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { FIRST_GENERATION, type KeyShares } from '../committee/key-shares.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import { fetchBlob } from '../public/blobs.ts';
import { activePeers, type Seat } from '../committee/seat.ts';
import { unlessAborted } from '../waiting.ts';

/** `RequestState` of the contract. */
const PENDING = 1;

/** Decrypts the ciphertexts of a request with the others and has the result recorded. */
export async function decryptPublicly(
  context: OperatorContext,
  seat: Seat,
  keyShares: KeyShares,
  request: RequestEntry,
  ciphertexts: readonly CiphertextEntry[],
  set: ParameterSet,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, store, progress, log } = context;
  const { requestId } = request;
  const { epochId } = seat.session;

  progress.advance(requestId, 'opening');
  const open = opensWith(context, seat, secretsOf(seat, keyShares, set), requestId);
  const parts: Uint8Array[] = [];
  for (const ciphertext of ciphertexts) {
    const part = await decryptionOf(context, seat, request, ciphertext, set, signal);
    const { result, plaintext } = await runPart(part, open, signal);
    if (plaintext !== undefined) await store.blobs.put(plaintext);
    parts.push(result);
  }
  const result = concatBytes(parts);

  progress.advance(requestId, 'certifying');
  const { signerBitmap, signatures } = await collectQuorum(
    context,
    seat,
    requestId,
    result,
    (bytes: Hex) => ({
      type: 'PublicDecryptionResult',
      message: { epochId, requestId, result: bytes },
    }),
    signal,
  );

  progress.advance(requestId, 'submitting');
  await waitForTurn(context, seat, requestId, signal);
  await unlessAborted(
    sender.submit(
      `decryption/${requestId}`,
      {
        address: gateway.addresses.decryptionGateway,
        abi: decryptionGatewayAbi,
        functionName: 'respondPublicDecryption',
        args: [requestId, bytesToHex(result), signerBitmap, signatures],
      },
      async () =>
        (await gateway.contracts.decryptionGateway.read.request([requestId])).state !== PENDING,
    ),
    signal,
  );
  log.info({ requestId }, 'decryption recorded');
}

/** Loads a ciphertext and begins its decryption. What the chain says of it must be true. */
async function decryptionOf(
  context: OperatorContext,
  seat: Seat,
  request: RequestEntry,
  { handle, digest, limbs }: CiphertextEntry,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<Part<Decryption>> {
  const longest = ciphertextLength(set, firstLimbs(set));
  const peerIds = activePeers(seat).map(({ peerId }) => peerId);
  const bytes = await fetchBlob(context, peerIds, digest, longest, signal);
  const unservable = (why: string, cause?: KeyloomError): OperatorError =>
    new OperatorError(OperatorErrorCode.REQUEST_UNSERVABLE, why, { metadata: { handle }, cause });
  if (bytes.length !== ciphertextLength(set, limbs))
    throw unservable('the ciphertext is not at the level it is registered for');
  try {
    return publicDecryption(seat.session, {
      keyId: request.keyId,
      generation: FIRST_GENERATION,
      set,
      ciphertext: bytes,
      positions: request.positions.length === 0 ? undefined : request.positions,
    });
  } catch (error) {
    // An error is never signed as a result: the request expires.
    if (error instanceof FheError || error instanceof ProtocolError)
      throw unservable('the registered ciphertext cannot be decrypted', error);
    throw error;
  }
}
