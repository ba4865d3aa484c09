import type { Hex } from 'viem';

import { collectShares } from '../../../../workers/operator/openings/collect.ts';
import { offerShare } from '../../../../workers/operator/openings/own-shares.ts';
import { compareRoots } from '../../../../workers/operator/watchdog/compare.ts';
import * as keyGeneration from '../../../../workers/protocols/key-generation.ts';
import { offenceId, type Evidence } from '../../../../workers/protocols/evidence.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { testSignal, type TestCommittee, type TestOperator } from '../harness.ts';

// Openings whose evidence the tests of the watchdog look at.

export const set = parameterSet('insecure-bfv-1024');

export const openingOf = ({ seat }: TestOperator, keyId: Hex) =>
  keyGeneration.describe(seat().session, { keyId, set });

/** Commits to the own share of a key's opening and offers it. */
export async function offer(operator: TestOperator, keyId: Hex): Promise<void> {
  const { context, seat } = operator;
  context.progress.begin(keyId, 'key');
  const opening = openingOf(operator, keyId);
  const { share } = keyGeneration.share(opening, seat().randomness);
  await offerShare(context, seat(), keyId, opening, share);
}

/** An operator's part in the opening of a key, by collecting all shares. */
export async function open(operator: TestOperator, keyId: Hex, signal = testSignal()) {
  const { context, seat } = operator;
  await offer(operator, keyId);
  return collectShares(context, seat(), keyId, openingOf(operator, keyId), signal);
}

export const openAll = ({ operators }: TestCommittee, keyId: Hex) =>
  Promise.all(operators.map((operator) => open(operator, keyId)));

/** Resolves once an operator has the shares of all others, late ones as well. */
export async function complete(operator: TestOperator, keyId: Hex): Promise<void> {
  const { transcripts } = operator.context.store;
  const { id, committee } = openingOf(operator, keyId);
  while (((await transcripts.list(id))?.indices.length ?? 0) < committee.n)
    await new Promise(setImmediate);
}

/** Compares an operator's roots of the openings of keys with those of its peers. */
export const compare = (operator: TestOperator, ...keyIds: readonly Hex[]) =>
  compareRoots(
    operator.context,
    operator.seat(),
    keyIds.map((keyId) => openingOf(operator, keyId).id),
    new Set(),
    testSignal(),
  );

/** Evidence that an operator has, the oldest first. */
export function evidenceOf({ context }: TestOperator): Evidence[] {
  const { evidence } = context.store;
  return evidence
    .list(1_000)
    .reverse()
    .map(({ offenceId: id }) => evidence.get(id)!.evidence);
}

/** Resolves with an operator's evidence of a kind, once it has some. */
export async function evidenceAt(operator: TestOperator, kind: Evidence['kind']) {
  for (;;) {
    const found = evidenceOf(operator).find((evidence) => evidence.kind === kind);
    if (found !== undefined) return { evidence: found, id: offenceId(found) };
    await new Promise(setImmediate);
  }
}
