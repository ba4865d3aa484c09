import type { Hex } from 'viem';

import { isKeyloomError } from '../../../workers/errors.ts';
import { open, type Step } from '../../../workers/protocols/opening.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import type { OpenedValue } from '../../../workers/sharing/opening.ts';
import { AuditError, AuditErrorCode } from './errors.ts';
import type { OperatorFindings } from './findings.ts';
import type { SignedShare, TranscriptReader } from './transcripts.ts';

/**
 * Opens a step from signed shares alone, and writes down what that says of the operators.
 *
 * Whoever signed two shares of one opening counts for none of them. So the value is one that 2t+1
 * operators stand behind whatever they told to whom.
 *
 * @throws AuditError SHARES_MISSING, with those that have none as metadata; SHARES_DISAGREE
 */
export async function openSigned(
  reader: TranscriptReader,
  findings: ReadonlyMap<number, OperatorFindings>,
  { opening }: Step,
): Promise<RnsVector> {
  const collected = await reader.collect(opening);
  const single = new Map<number, SignedShare>();
  for (const [index, page] of findings) {
    const shares = collected.get(index) ?? [];
    if (shares.length === 0) page.missing.push(opening.id);
    else page.shares++;
    if (shares.length === 1) single.set(index, shares[0]);
    else if (shares.length > 1)
      page.equivocations.push({ openingId: opening.id, commitments: shares.map(commitmentOf) });
  }
  try {
    const residues = new Map([...single].map(([index, share]) => [index, share.residues]));
    const { value, faulty }: OpenedValue = open(opening, residues);
    for (const index of faulty)
      findings
        .get(index)!
        .faulty.push({ openingId: opening.id, commitment: commitmentOf(single.get(index)!) });
    return value;
  } catch (error) {
    if (!isKeyloomError(error, SharingErrorCode.TOO_FEW_AGREEING)) throw error;
    throw unopened(opening.id, collected, single, [...findings.keys()], opening.committee.quorum);
  }
}

function unopened(
  openingId: Hex,
  collected: ReadonlyMap<number, unknown>,
  single: ReadonlyMap<number, unknown>,
  indices: readonly number[],
  quorum: number,
): AuditError {
  if (single.size >= quorum)
    return new AuditError(
      AuditErrorCode.SHARES_DISAGREE,
      `${single.size} operators signed a share of opening ${openingId}, and no ${quorum} of them agree`,
      {
        advice: 'More operators are corrupt than the protocol withstands: do not use the result.',
        metadata: { openingId, signed: [...single.keys()].join(',') },
      },
    );
  const missing = indices.filter((index) => !collected.has(index));
  return new AuditError(
    AuditErrorCode.SHARES_MISSING,
    `${single.size} operators have one signed share of opening ${openingId}, ${quorum} are needed; nobody has one of operators ${missing.join(', ')}`,
    {
      advice: 'Run the audit again once more operators answer.',
      metadata: { openingId, missing: missing.join(',') },
    },
  );
}

const commitmentOf = ({ root, signature }: SignedShare) => ({ root, signature });
