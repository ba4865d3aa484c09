import { concatBytes, type Hex } from 'viem';

import { decryptionGatewayAbi } from '../../chain/abi.ts';
import type { CiphertextEntry, RequestEntry } from '../../chain/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { openedTogether, publicDecryption } from '../../protocols/public-decryption.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { Quorum } from './certify.ts';
import type { OperatorContext } from '../context.ts';
import { FIRST_GENERATION, type KeyShares } from '../committee/key-shares.ts';
import { loadInputs, servable } from './inputs.ts';
import { measured } from '../observing.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import type { Seat } from '../committee/seat.ts';
import { conclude } from './conclude.ts';

/** `RequestState` of the contract. */
export const REQUEST_PENDING = 1;

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
  const { gateway, sender, store, progress } = context;
  const { requestId, keyId } = request;
  const { epochId } = seat.session;
  const { positions } = request;

  progress.advance(requestId, 'opening');
  const open = opensWith(context, seat, secretsOf(seat, keyShares, set), requestId);
  const parts: Uint8Array[] = [];
  for (const entries of openedTogether(ciphertexts, positions)) {
    const inputs = await measured(context, requestId, 'load', () =>
      loadInputs(context, seat, entries, set, signal),
    );
    const part = servable('these coefficients cannot be decrypted', { requestId }, () =>
      publicDecryption(seat.session, {
        ...{ keyId, generation: FIRST_GENERATION, set, ciphertexts: inputs },
        positions: positions.length === 0 ? undefined : positions,
      }),
    );
    for (const { result, plaintext } of await runPart(part, open, signal)) {
      if (plaintext !== undefined) await store.blobs.put(plaintext);
      parts.push(result);
    }
  }

  const submit = (result: Hex, { signerBitmap, signatures }: Quorum) =>
    sender.submit(
      `decryption/${requestId}`,
      {
        address: gateway.addresses.decryptionGateway,
        abi: decryptionGatewayAbi,
        functionName: 'respond',
        args: [requestId, result, signerBitmap, signatures],
      },
      async () =>
        (await gateway.contracts.decryptionGateway.read.request([requestId])).state !==
        REQUEST_PENDING,
    );
  const statement = (result: Hex): Statement => ({
    type: 'Result',
    contract: 'decryptionGateway',
    message: { epochId, requestId, result },
  });
  const outcome = { id: requestId, result: concatBytes(parts), statement, submit };
  await conclude(context, seat, outcome, signal);
}
