import { hexToBytes, type Hex } from 'viem';

import { keyManagerAbi } from '../../chain/abi.ts';
import type { KeyEntry } from '../../chain/state.ts';
import { describe, finish, share } from '../../protocols/key-generation.ts';
import { openOnce } from '../../protocols/opening.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import { collectQuorum, waitForTurn } from './certify.ts';
import type { OperatorContext } from '../context.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import type { Seat } from '../committee/seat.ts';
import { unlessAborted } from '../waiting.ts';

/** `KeyState` of the contract. */
const PENDING = 1;

/** Generates a requested key with the others and has its digest recorded. */
export async function generateKey(
  context: OperatorContext,
  seat: Seat,
  keyShares: KeyShares,
  { keyId }: KeyEntry,
  set: ParameterSet,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, store, progress, log } = context;
  const { epochId } = seat.session;

  progress.advance(keyId, 'opening');
  const generation = describe(seat.session, { keyId, set });
  const own = share(generation, seat.randomness);
  keyShares.keep(keyId, own.keyShare);
  // One computation gives both shares, so the step has its one already.
  const step = { opening: generation, share: () => own.share };
  const open = opensWith(context, seat, secretsOf(seat, keyShares, set), keyId);
  const part = openOnce(step, (b) => finish(generation, b));
  const { publicKey, digest } = await runPart(part, open, signal);
  await store.blobs.put(publicKey);

  progress.advance(keyId, 'certifying');
  const { signerBitmap, signatures } = await collectQuorum(
    context,
    seat,
    keyId,
    hexToBytes(digest),
    (result: Hex) => ({ type: 'PublicKeyResult', message: { epochId, keyId, digest: result } }),
    signal,
  );

  progress.advance(keyId, 'submitting');
  await waitForTurn(context, seat, keyId, signal);
  await unlessAborted(
    sender.submit(
      `public-key/${keyId}`,
      {
        address: gateway.addresses.keyManager,
        abi: keyManagerAbi,
        functionName: 'recordPublicKey',
        args: [keyId, digest, signerBitmap, signatures],
      },
      async () => (await gateway.contracts.keyManager.read.key([keyId])).state !== PENDING,
    ),
    signal,
  );
  log.info({ keyId, digest }, 'public key recorded');
}
