import type { EpochEntry } from '../../chain/state.ts';
import { isKeyloomError } from '../../errors.ts';
import { verifyDealing } from '../../sharing/dealing.ts';
import { deriveSetKeys } from '../../sharing/setup.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Membership } from './membership.ts';
import { decodeSetKeys, encodeSetKeys, secretName } from './seat.ts';
import { heldDealing } from './set-up.ts';

/**
 * The set keys of an epoch, checked against the chain: every seed that is held has the hash behind its
 * dealer's root, of which the epoch's id is a hash, and the keys are those that follow from them.
 *
 * @returns undefined if none are kept
 * @throws OperatorError HOLDINGS_DAMAGED, with the name of what is not right
 */
export function heldSetKeys(
  context: OperatorContext,
  { committee, index }: Pick<Membership, 'committee' | 'index'>,
  { epochId, proposalId, setupDigest, standing, roots }: EpochEntry,
): Map<number, Uint8Array> | undefined {
  const { secrets } = context.store;
  const name = secretName.setKeys(epochId);
  const kept = checked(name, () => secrets.get(name));
  if (kept === undefined) return undefined;
  const dealings = new Map(
    standing.map((dealer) => {
      const seedsName = secretName.seeds(proposalId, dealer);
      const part = checked(seedsName, () => heldDealing(context, proposalId, dealer));
      if (part === undefined) throw damaged(seedsName);
      const root = roots.get(dealer)!;
      checked(seedsName, () =>
        verifyDealing(committee, proposalId, dealer, root, part.hashes, part.seeds, index),
      );
      return [dealer, part.seeds];
    }),
  );
  const derived = deriveSetKeys(committee, index, setupDigest, standing, (dealer, set) =>
    dealings.get(dealer)?.get(set),
  );
  if (!Buffer.from(encodeSetKeys(derived)).equals(kept)) throw damaged(name);
  return decodeSetKeys(kept);
}

/** What `read` comes to; a coded failure says that what is kept under the name is damaged. */
function checked<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isKeyloomError(error)) throw damaged(name, error);
    throw error;
  }
}

const damaged = (name: string, cause?: unknown): OperatorError =>
  new OperatorError(
    OperatorErrorCode.HOLDINGS_DAMAGED,
    `what is kept as ${name} is not what the chain says`,
    { metadata: { name }, cause },
  );
