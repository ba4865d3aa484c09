import type { Hex } from 'viem';

import type { CiphertextEntry } from '../../chain/state.ts';
import { ComputationError } from '../../computations/errors.ts';
import { keysNeeded } from '../../computations/keys.ts';
import { parseProgram } from '../../computations/format.ts';
import type { Program } from '../../computations/program.ts';
import type { ErrorMetadata } from '../../errors.ts';
import { entryLength } from '../../fhe/evaluation-keys.ts';
import type { ParameterSet } from '../../ring/parameters.ts';
import type { Verdict } from '../../store/verdicts.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { entryName } from './recorded-entries.ts';
import type { ComputationTask } from './verifier.ts';
import type { Claim } from './verification.ts';

/** How what a program needs is come by. */
export interface ComputationSources {
  readonly chain: ChainState;
  /** The verdict on a registered ciphertext. */
  verdictOf(entry: CiphertextEntry, signal: AbortSignal): Promise<Verdict>;
  /** The file with a registered ciphertext, which is brought into the own store. */
  ciphertext(entry: CiphertextEntry, signal: AbortSignal): Promise<string>;
  /** The file with public bytes, which are brought into the own store. */
  file(digest: Hex, maxBytes: number, signal: AbortSignal): Promise<string>;
}

/** A computation, and what was found out about its inputs. */
export interface PreparedComputation {
  readonly task: ComputationTask;
  readonly handles: readonly Hex[];
  readonly verdicts: readonly Verdict[];
}

/**
 * Resolves once all inputs of a program are registered: who posts it may be ahead of this operator.
 *
 * @throws OperatorError PROOF_REFUSED, INPUT_NOT_REGISTERED once the signal aborts
 */
export async function untilInputsRegistered(
  chain: ChainState,
  program: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  for (const handle of read(program).inputs)
    while (!chain.now.ciphertexts.has(handle))
      await chain.change(signal).catch(() => registered(chain, handle));
}

/**
 * Collects what a program computes with: its inputs, each verified, and the evaluation keys on chain. All of it
 * is named by files: many programs may wait, and chains of them be long, and none is in memory meanwhile.
 *
 * @throws OperatorError PROOF_REFUSED with the cause, INPUT_NOT_REGISTERED, and those of `sources`
 */
export async function prepareComputation(
  sources: ComputationSources,
  { key, proof }: Claim,
  { set, n }: { readonly set: ParameterSet; readonly n: number },
  signal: AbortSignal,
): Promise<PreparedComputation> {
  const program = read(proof);
  const named = program.inputs.map((handle) => {
    const entry = registered(sources.chain, handle);
    if (sources.chain.now.keys.get(entry.keyId)?.parameterSetId !== key.parameterSetId)
      throw refused('an input is under a key of another parameter set', { handle });
    return entry;
  });
  const keyIds = { inputs: named.map(({ keyId }) => keyId), result: key.keyId };
  const recorded = refusing(() => keysNeeded(set, program, keyIds)).map((needed) => {
    const digest = sources.chain.recordedEntries.of(entryName(needed))[0];
    if (digest === undefined)
      throw refused('the program needs an evaluation key that is not on chain', {
        ...{ kind: needed.kind, keyId: needed.keyId },
      });
    return { key: needed, digest };
  });
  const verdicts: Verdict[] = [];
  for (const entry of named) verdicts.push(await sources.verdictOf(entry, signal));
  const inputs: ComputationTask['inputs'][number][] = [];
  for (const [at, entry] of named.entries()) {
    const { limbs, noise } = verdicts[at];
    const path = await sources.ciphertext(entry, signal);
    inputs.push({ keyId: entry.keyId, digest: entry.digest, path, limbs, noise });
  }
  const entries: ComputationTask['entries'][number][] = [];
  for (const { key: needed, digest } of recorded) {
    const path = await sources.file(digest, entryLength(set), signal);
    entries.push({ key: needed, digest, path });
  }
  const task: ComputationTask = {
    ...{ kind: 'computed', set: set.name, n, program: proof, inputs, entries },
    resultKey: key.keyId,
  };
  return { task, handles: program.inputs, verdicts };
}

function registered(chain: ChainState, handle: Hex): CiphertextEntry {
  const entry = chain.now.ciphertexts.get(handle);
  if (entry !== undefined) return entry;
  throw new OperatorError(
    OperatorErrorCode.INPUT_NOT_REGISTERED,
    'an input of the program is not registered, as far as this operator knows',
    { metadata: { handle } },
  );
}

const read = (program: Uint8Array): Program => refusing(() => parseProgram(program));

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ComputationError)) throw error;
    const { code, message, metadata } = error;
    throw refused(`${message} (${code})`, { ...metadata, cause: code });
  }
}

function refused(why: string, metadata: ErrorMetadata): OperatorError {
  return new OperatorError(OperatorErrorCode.PROOF_REFUSED, why, { metadata });
}
