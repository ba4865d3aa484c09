import { encodeFunctionData, type EncodeFunctionDataParameters } from 'viem';

import { ChainError, ChainErrorCode } from '../../chain/errors.ts';
import { evidenceCall } from '../../chain/evidence.ts';
import { currentPrice, feesAt } from '../../chain/fees.ts';
import type { EpochEntry } from '../../chain/state.ts';
import { simulate } from '../../chain/transactions.ts';
import { offenceNumbers } from '../../protocols/evidence.ts';
import type { EvidenceState, KeptEvidence } from '../../store/evidence.ts';
import type { OperatorContext } from '../context.ts';
import { pause, unlessAborted } from '../waiting.ts';
import { rankIn } from './turns.ts';

const WAD = 10n ** 18n;

/** Why evidence is settled. */
export const Settled = {
  /** The offence is on record, and a part of the bond was left. */
  PUNISHED: 'PUNISHED',
  /** There is no bond to slash: it was taken, for this offence or another, or withdrawn. */
  NO_BOND: 'NO_BOND',
  /** The result that was signed is the one that was recorded. */
  RESULT_RIGHT: 'RESULT_RIGHT',
} as const;

/** Why evidence waits that could be submitted. */
export const Waiting = {
  /** Submitting it would cost more than `maxCostWei`. */
  COST_ABOVE_LIMIT: 'COST_ABOVE_LIMIT',
  /** It would bring less than `minRewardWei`. */
  REWARD_BELOW_LIMIT: 'REWARD_BELOW_LIMIT',
} as const;

/** Refusals that say nothing about the evidence: others were faster, or the endpoint's head lags. */
const passing: readonly unknown[] = [
  'SlashingManagerNoResult',
  'SlashingManagerPunished',
  'OperatorRegistryNothingToSlash',
];

/**
 * Has an offence punished, if it is this operator's turn and it pays.
 *
 * Evidence is settled by what the confirmed chain says, so this comes to an end in another run than the
 * one that submits. What the contract would reject is never sent: it is a mistake here or a lie of the
 * RPC endpoint, so it is logged as an error and not tried again.
 *
 * @param epoch of the accused, in which this operator has index `own`
 * @throws errors of the endpoint and the signal's reason: run it again
 */
export async function submitEvidence(
  context: OperatorContext,
  epoch: EpochEntry,
  own: number,
  kept: KeptEvidence,
  signal: AbortSignal,
): Promise<void> {
  const { gateway, sender, store, log, submitDelayMs } = context;
  const { offenceId, evidence } = kept;
  const advance = (state: EvidenceState, why?: string): void => {
    store.evidence.advance(offenceId, state, why);
    log.info({ offenceId, state, why }, 'evidence');
  };

  const confirmed = await standingOf(context, epoch, kept, store.blocks.scanned()?.height);
  if (confirmed !== 'unpunished') return advance('settled', confirmed);
  if ((await standingOf(context, epoch, kept)) !== 'unpunished') return;
  if (kept.state === 'open') {
    const { index } = evidence;
    const rank = rankIn(epoch.signers.length, offenceId, index, own);
    await pause(rank * submitDelayMs, signal);
    if ((await standingOf(context, epoch, kept)) !== 'unpunished') return;
  }

  const beneficiary = epoch.operators[own - 1];
  const call = evidenceCall(gateway.contracts.slashingManager.address, evidence, beneficiary);
  try {
    const waitsFor = await whyToWait(context, epoch, kept, call);
    // Seen by whoever lists evidence, and durable: somebody has to raise the limit, or submit it.
    if (waitsFor !== undefined) return store.evidence.advance(offenceId, kept.state, waitsFor);
    advance('submitted');
    const outcome = sender.submit(
      `evidence/${offenceId}`,
      call,
      async () => (await standingOf(context, epoch, kept)) !== 'unpunished',
    );
    await unlessAborted(outcome, signal);
  } catch (error) {
    const refused = error instanceof ChainError && error.code === ChainErrorCode.REVERTED;
    const name = refused ? error.metadata['errorName'] : undefined;
    if (!refused || passing.includes(name)) throw error;
    advance('hopeless', String(name ?? 'REVERTED'));
    log.error(
      { offenceId, err: error },
      'the contract refuses evidence: a mistake, or a lie of the RPC endpoint',
    );
  }
}

/** Whether an offence can still be punished, at a height or now. */
async function standingOf(
  { gateway }: OperatorContext,
  { operators }: EpochEntry,
  { offenceId, index }: KeptEvidence,
  blockNumber?: bigint,
): Promise<'unpunished' | keyof typeof Settled> {
  const { slashingManager, operatorRegistry } = gateway.contracts;
  const at = blockNumber === undefined ? {} : { blockNumber };
  if (await slashingManager.read.isPunished([offenceId], at)) return Settled.PUNISHED;
  const { bondWei } = await operatorRegistry.read.getOperator([operators[index - 1]], at);
  return bondWei === 0n ? Settled.NO_BOND : 'unpunished';
}

/** Executes the call without sending it, and compares its cost and reward with the terms. */
async function whyToWait(
  { gateway, account, evidenceTerms, spendingCaps, log }: OperatorContext,
  { operators }: EpochEntry,
  { offenceId, kind, index, why }: KeptEvidence,
  call: ReturnType<typeof evidenceCall>,
): Promise<keyof typeof Waiting | undefined> {
  const { client, contracts } = gateway;
  const data = encodeFunctionData(call as EncodeFunctionDataParameters);
  const gas = await simulate(client, account.address, { to: call.address, data }, spendingCaps);
  const { maxFeePerGas } = feesAt(await currentPrice(client), spendingCaps);
  const [{ bondWei }, { slashWad, rewardWad }] = await Promise.all([
    contracts.operatorRegistry.read.getOperator([operators[index - 1]]),
    contracts.slashingManager.read.penalty([offenceNumbers[kind]]),
  ]);
  const costWei = gas * maxFeePerGas;
  const rewardWei = (((bondWei * slashWad) / WAD) * rewardWad) / WAD;
  const { maxCostWei, minRewardWei } = evidenceTerms;
  if (costWei <= maxCostWei && rewardWei >= minRewardWei) return undefined;
  const waitsFor = costWei > maxCostWei ? Waiting.COST_ABOVE_LIMIT : Waiting.REWARD_BELOW_LIMIT;
  const about = { offenceId, waitsFor, costWei, maxCostWei, rewardWei, minRewardWei };
  // Once, not at every look.
  if (why !== waitsFor)
    log.warn(about, 'evidence waits, because of the limits of the configuration');
  return waitsFor;
}
