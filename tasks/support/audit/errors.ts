import { AdvisedError } from '../../../sdk/errors.ts';

/** Why an audit does not confirm a result. */
export const AuditErrorCode = {
  /** The chain has no result for the request: there is nothing to confirm. */
  NOTHING_RECORDED: 'AUDIT_NOTHING_RECORDED',
  /** An id is not the hash of what the RPC endpoint says it stands for. */
  CONTENT_MISMATCH: 'AUDIT_CONTENT_MISMATCH',
  /** The signatures in the transaction that recorded the result are not those of a quorum. */
  RESULT_UNSIGNED: 'AUDIT_RESULT_UNSIGNED',
  /** The committee's own rules refuse the inputs, so no honest operator gave a share. */
  INPUT_REFUSED: 'AUDIT_INPUT_REFUSED',
  /** No 2t+1 signed shares of an opening agree, and there are operators of which none was found. */
  SHARES_MISSING: 'AUDIT_SHARES_MISSING',
  /** There are signed shares of all operators, and no 2t+1 agree: more than t operators are corrupt. */
  SHARES_DISAGREE: 'AUDIT_SHARES_DISAGREE',
  /** The signed shares give another result than the recorded one. */
  RESULT_DIFFERS: 'AUDIT_RESULT_DIFFERS',
} as const;

export type AuditErrorCode = (typeof AuditErrorCode)[keyof typeof AuditErrorCode];

/** What an audit found wrong; `culprits` are operators whom their own signatures convict. */
export class AuditError extends AdvisedError<AuditErrorCode> {}
