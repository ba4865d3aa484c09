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
 * @throws AuditError SHARES_MISSING, SHARES_DISAGREE; metadata says who signed one share, and of whom
 * there is none
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
    const missing = [...findings.keys()].filter((index) => !collected.has(index));
    throw unopened(opening.id, [...single.keys()], missing, opening.committee.quorum);
  }
}

/**
 * With a share of everybody at hand, more than t of them are wrong or equivocal: otherwise 2t+1 would
 * agree. With one missing that cannot be said.
 */
function unopened(
  openingId: Hex,
  signed: readonly number[],
  missing: readonly number[],
  quorum: number,
): AuditError {
  const what = `no ${quorum} operators agree in opening ${openingId}`;
  const metadata = { openingId, signed: signed.join(','), missing: missing.join(',') };
  if (missing.length === 0)
    return new AuditError(
      AuditErrorCode.SHARES_DISAGREE,
      `${what}, although there are signed shares of all`,
      {
        advice: 'More operators are corrupt than the protocol withstands: do not use the result.',
        metadata,
      },
    );
  return new AuditError(
    AuditErrorCode.SHARES_MISSING,
    `${what}: nobody has a signed share of operators ${missing.join(', ')}`,
    { advice: 'Run the audit again once more operators answer.', metadata },
  );
}

const commitmentOf = ({ root, signature }: SignedShare) => ({ root, signature });
