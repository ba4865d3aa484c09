import { createHash } from 'node:crypto';
import { bytesToHex, concatBytes, type Hex } from 'viem';

import { decryptionGatewayAbi } from '../../chain/abi.ts';
import type { CiphertextEntry, UserDecryptionEntry } from '../../chain/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { userDecryption } from '../../protocols/user-decryption.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { FIRST_GENERATION, type KeyShares } from '../committee/key-shares.ts';
import type { Seat } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { measured } from '../observing.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import type { Quorum } from './certify.ts';
import { REQUEST_PENDING } from './decryption-job.ts';
import { loadInputs, loadRecipient, servable } from './inputs.ts';
import { conclude } from './conclude.ts';

/** Re-encrypts the ciphertexts of a request to the user's key and has the answers recorded. */
export async function decryptForUser(
  context: OperatorContext,
  seat: Seat,
  keyShares: KeyShares,
  request: UserDecryptionEntry,
  ciphertexts: readonly CiphertextEntry[],
  set: ParameterSet,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, store, progress } = context;
  const { requestId, keyId, packed, publicKeyDigest } = request;
  const { epochId } = seat.session;

  progress.advance(requestId, 'opening');
  const { recipient, inputs } = await measured(context, requestId, 'load', async () => {
    const key = await loadRecipient(context, seat, publicKeyDigest, set, signal);
    return { recipient: key, inputs: await loadInputs(context, seat, ciphertexts, set, signal) };
  });

  const open = opensWith(context, seat, secretsOf(seat, keyShares, set), requestId);
  const key = { keyId, generation: FIRST_GENERATION, set, recipient };
  const answers = packed
    ? [{ ...key, ciphertexts: inputs, form: 'packed' as const }]
    : inputs.map((input) => ({ ...key, ciphertexts: [input], form: 'full' as const }));
  const digests: Uint8Array[] = [];
  for (const answer of answers) {
    const part = servable('the answer has no such form', { requestId }, () =>
      userDecryption(seat.session, answer),
    );
    const ciphertext = await runPart(part, open, signal);
    const digest = createHash('sha256').update(ciphertext).digest();
    // Noted first: whatever is kept is also swept, recorded or not.
    store.entries.record(requestId, digests.length, bytesToHex(digest));
    await store.blobs.put(ciphertext);
    digests.push(digest);
  }

  const submit = (result: Hex, { signerBitmap, signatures }: Quorum) =>
    sender.submit(
      `user-decryption/${requestId}`,
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
  const outcome = { id: requestId, result: concatBytes(digests), statement, submit };
  await conclude(context, seat, outcome, signal);
}
