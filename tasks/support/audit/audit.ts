import type { Hex } from 'viem';

import { isKeyloomError, type KeyloomError } from '../../../workers/errors.ts';
import { FheError } from '../../../workers/fhe/errors.ts';
import { drive } from '../../../workers/protocols/drive.ts';
import { ProtocolError } from '../../../workers/protocols/errors.ts';
import { SdkErrorCode } from '../../../sdk/index.ts';
import { indicesIn } from '../epochs.ts';
import type { Gateway } from '../gateway.ts';
import { ceremonyItem } from './ceremony.ts';
import { certificateOf } from './certificate.ts';
import { auditedDigest, auditedEpoch, auditedKeySet } from './content.ts';
import { AuditError, AuditErrorCode } from './errors.ts';
import { findingsOf, type OperatorFindings } from './findings.ts';
import { inputsFrom } from './inputs.ts';
import { itemsOf, piecesOf, type Asked, type AuditItem, type Run } from './items.ts';
import { openSigned } from './openings.ts';
import { subjectOf } from './subjects.ts';
import { TranscriptReader } from './transcripts.ts';

/** A piece of a result, and what the signed shares say of it. */
export interface AuditedItem {
  readonly what: string;
  /** As the chain has it. */
  readonly recorded: Hex;
  /** As it follows from 2t+1 signed shares of every opening; undefined if it could not be replayed. */
  readonly replayed: Hex | undefined;
  /** Why not. */
  readonly failure: KeyloomError | undefined;
}

/** What an audit comes to. */
export interface AuditReport {
  readonly id: Hex;
  readonly epochId: Hex;
  readonly asked: Asked;
  /** Operators in whose name the result is recorded. */
  readonly signers: readonly number[];
  /** Whether their signatures were there to be checked. */
  readonly areSignaturesChecked: boolean;
  readonly items: readonly AuditedItem[];
  /** Openings that were opened from signed shares. */
  readonly openings: number;
  /** By committee index, ascending. */
  readonly operators: readonly OperatorFindings[];
  /** Undefined if the whole result follows. */
  readonly failure: KeyloomError | undefined;
}

/**
 * Replays what a committee was asked for, from what anybody can download, with the protocol code that
 * the operators run. See docs/audit.md.
 *
 * @param options.blobs folder with inputs that operators may not have any more
 * @throws ClientError UNKNOWN_ID, RESULT_MISMATCH; AuditError where the chain's own word does not hold
 * together. Whether the result follows is in the report
 */
export async function audit(
  gateway: Gateway,
  id: Hex,
  options: { blobs?: string | undefined; onProgress?: (text: string) => void } = {},
): Promise<AuditReport> {
  const { blobs, onProgress } = options;
  onProgress?.('reading the request and its result from the chain');
  const subject = await subjectOf(gateway, id);
  const { epochId, asked, result } = subject;
  const epoch = await auditedEpoch(gateway, epochId);
  const { session, members } = epoch;
  const certificate = await certificateOf(gateway, epoch, subject);
  const signers = certificate ?? indicesIn(subject.signerBitmap);

  const findings = findingsOf(members);
  const reader = new TranscriptReader(gateway, epoch, findings);
  const inputs = await inputsFrom(members, blobs);
  const items =
    asked.kind === 'ceremony'
      ? [ceremonyItem(gateway, asked.ceremonyId)]
      : itemsOf(session, asked, await auditedKeySet(gateway, epochId, asked.keyId), {
          inputs,
          digestOf: (handle) => auditedDigest(gateway, asked.keyId, handle),
        });
  const pieces = piecesOf(items, result);
  if (pieces === undefined) throw differs('the recorded result has not its length', certificate);

  const parts = items.reduce((sum, item) => sum + item.parts, 0);
  let begun = 0;
  let openings = 0;
  const run: Run = async (part) => {
    onProgress?.(`replaying part ${++begun} of ${parts}`);
    const steps: Promise<unknown>[] = [];
    try {
      return await drive(part, (step) => {
        const opened = openSigned(reader, findings, step);
        steps.push(opened);
        return opened;
      });
    } finally {
      // A round that fails at one step leaves nothing behind that still writes findings.
      const settled = await Promise.allSettled(steps);
      openings += settled.filter(({ status }) => status === 'fulfilled').length;
    }
  };
  const audited: AuditedItem[] = [];
  for (const [at, item] of items.entries()) {
    const replayed = await replay(item, run);
    begun = items.slice(0, at + 1).reduce((sum, { parts: done }) => sum + done, 0);
    audited.push({ what: item.what, recorded: pieces[at], ...replayed });
  }
  return {
    ...{ id, epochId, asked, signers, openings, items: audited },
    areSignaturesChecked: certificate !== undefined,
    operators: [...findings.values()],
    failure: verdict(audited, certificate),
  };
}

async function replay(
  { replay, what }: AuditItem,
  run: Run,
): Promise<Pick<AuditedItem, 'replayed' | 'failure'>> {
  try {
    return { replayed: await replay(run), failure: undefined };
  } catch (cause) {
    if (cause instanceof FheError || cause instanceof ProtocolError) {
      const metadata = { code: cause.code };
      const message = `${what}: the inputs are refused (${cause.code})`;
      return {
        replayed: undefined,
        failure: new AuditError(AuditErrorCode.INPUT_REFUSED, message, { metadata, cause }),
      };
    }
    if (isKeyloomError(cause, AuditErrorCode.RESULT_DIFFERS))
      return { replayed: undefined, failure: cause };
    // What is missing for one item may be there for the next one.
    if (isKeyloomError(cause) && missing.includes(cause.code))
      return { replayed: undefined, failure: cause };
    throw cause;
  }
}

const missing: readonly string[] = [
  AuditErrorCode.SHARES_MISSING,
  AuditErrorCode.SHARES_DISAGREE,
  SdkErrorCode.BLOB_UNAVAILABLE,
];

/** The gravest thing that was found: a result that contradicts the shares before one that is open. */
function verdict(
  items: readonly AuditedItem[],
  certificate: readonly number[] | undefined,
): KeyloomError | undefined {
  const wrong = items.find(
    (item) => item.replayed !== undefined && item.replayed !== item.recorded,
  );
  if (wrong !== undefined)
    return differs(
      `${wrong.what}: ${wrong.recorded} is recorded, ${wrong.replayed} follows from the signed shares`,
      certificate,
    );
  return items.find(({ failure }) => failure !== undefined)?.failure;
}

/** @param certificate those who have verifiably signed the result */
function differs(message: string, certificate: readonly number[] | undefined): AuditError {
  return new AuditError(AuditErrorCode.RESULT_DIFFERS, message, {
    advice:
      certificate === undefined
        ? 'The committee has signed a wrong result, or the RPC endpoint made it up: ask another one.'
        : 'More operators are corrupt than the protocol withstands: do not use the result.',
    culprits: certificate ?? [],
  });
}
