import { hexToBytes, type Hex } from 'viem';

import { keyManagerAbi } from '../../chain/abi.ts';
import type { KeyEntry } from '../../chain/state.ts';
import type { Statement } from '../../chain/typed-data.ts';
import { describe, finish, share } from '../../protocols/key-generation.ts';
import { openOnce } from '../../protocols/opening.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { OperatorContext } from '../context.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import { opensWith, runPart, secretsOf } from '../openings/run-part.ts';
import type { Seat } from '../committee/seat.ts';
import type { Quorum } from './certify.ts';
import { conclude } from './conclude.ts';

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
  const { gateway, sender, store, progress } = context;
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

  const submit = (result: Hex, { signerBitmap, signatures }: Quorum) =>
    sender.submit(
      `public-key/${keyId}`,
      {
        address: gateway.addresses.keyManager,
        abi: keyManagerAbi,
        functionName: 'recordPublicKey',
        args: [keyId, result, signerBitmap, signatures],
      },
      async () => (await gateway.contracts.keyManager.read.key([keyId])).state !== PENDING,
    );
  const statement = (result: Hex): Statement => ({
    type: 'Result',
    contract: 'keyManager',
    message: { epochId, requestId: keyId, result },
  });
  const outcome = { id: keyId, result: hexToBytes(digest), statement, submit };
  await conclude(context, seat, outcome, signal);
}
