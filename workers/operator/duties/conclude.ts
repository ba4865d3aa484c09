import { bytesToHex, keccak256, type Hex } from 'viem';

import type { Statement } from '../../chain/typed-data.ts';
import type { Place } from '../committee/seat.ts';
import type { OperatorContext } from '../context.ts';
import { measured } from '../observing.ts';
import { unlessAborted } from '../waiting.ts';
import { collectQuorum, waitForTurn, type Quorum } from './certify.ts';

/** What a request came to, and how it gets on chain. */
export interface Outcome {
  /** Key id or request id. */
  readonly id: Hex;
  /** What the operators sign, beside the request. */
  readonly result: Uint8Array;
  readonly statement: (result: Hex) => Statement;
  /** Sends it, unless somebody else has. */
  readonly submit: (result: Hex, quorum: Quorum) => Promise<unknown>;
}

/**
 * Signs the outcome of a request, collects the others' signatures and has it recorded, by whoever's
 * turn it is. Throws the signal's reason if that comes first.
 *
 * @throws StoreError RESULT_CONFLICT if another result was signed for this request before
 */
export async function conclude(
  context: OperatorContext,
  seat: Place,
  { id, result, statement, submit }: Outcome,
  signal: AbortSignal,
): Promise<void> {
  const { store, progress, log } = context;
  store.results.commit(id, keccak256(result));
  progress.advance(id, 'certifying');
  const quorum = await measured(context, id, 'certify', () =>
    collectQuorum(context, seat, id, result, statement, signal),
  );

  progress.advance(id, 'submitting');
  await waitForTurn(context, seat, id, signal);
  await measured(context, id, 'submit', () =>
    unlessAborted(submit(bytesToHex(result), quorum), signal),
  );
  log.info({ id }, 'recorded');
}
