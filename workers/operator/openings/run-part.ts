import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Hex } from 'viem';

import type { Opening, Part, Secrets, Step } from '../../protocols/opening.ts';
import type { RnsVector } from '../../ring/basis.ts';
import type { KeyShares } from '../committee/key-shares.ts';
import type { Seat } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { collectShares } from './collect.ts';
import { measured } from '../observing.ts';
import { openThroughOpener } from './open-through.ts';
import type { Openers } from './openers.ts';
import { offerShare } from './own-shares.ts';

/** Opens the value of a step together with the other operators. */
export type Open = (step: Step, signal: AbortSignal) => Promise<RnsVector>;

/**
 * Runs a part of an operation to its result. The openings of a round run at the same time.
 *
 * @throws what `open` throws, once the round's other openings have been told to stop
 */
export async function runPart<Result>(
  part: Part<Result>,
  open: Open,
  signal: AbortSignal,
): Promise<Result> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  try {
    let round = part.next();
    while (round.done !== true) {
      const values = await Promise.all(round.value.map((step) => open(step, both)));
      round = part.next(values);
    }
    return round.value;
  } finally {
    over.abort();
  }
}

/**
 * How an operator opens the steps of an operation: computes its share, commits to it, offers it, and
 * obtains the value; with everybody's shares, or through openers.
 *
 * @param subject key or request that is served
 * @param openers of the operation, if its openings are large
 */
export function opensWith(
  context: OperatorContext,
  seat: Seat,
  secrets: Secrets,
  subject: Hex,
  openers?: Openers,
): Open {
  return async (step, signal) => {
    // Computing takes a while; what others wait for comes first.
    await nextTurn(undefined, { signal });
    const opening = openingOf(step);
    const share = await measured(context, subject, 'share', async () => {
      const computed = step.share(secrets);
      await offerShare(context, seat, subject, opening, computed);
      return computed;
    });
    return openers === undefined
      ? measured(context, subject, 'collect', () =>
          collectShares(context, seat, subject, opening, signal),
        )
      : measured(context, subject, 'open-through', () =>
          openThroughOpener(context, seat, subject, opening, share, openers, signal),
        );
  };
}

/**
 * The opening alone. An operation's own has all its inputs in it, and openings outlast their requests: on the
 * board, and while late shares are awaited.
 */
function openingOf({ opening: { id, preimage, shape, committee } }: Step): Opening {
  return { id, preimage, shape, committee };
}

/** What an operator brings to its steps in an epoch. Secret. */
export function secretsOf(
  seat: Seat,
  keyShares: KeyShares,
  set: Parameters<KeyShares['get']>[2],
): Secrets {
  return {
    randomness: seat.randomness,
    keyShare: (keyId) => keyShares.get(seat, keyId, set),
  };
}
