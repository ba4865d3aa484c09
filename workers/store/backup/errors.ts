import { KeyloomError } from '../../errors.ts';

/** What can go wrong with backups. After each of them everything is as it was. */
export const BackupErrorCode = {
  /** A recipient is no public key of age (`age1…`). */
  RECIPIENT_INVALID: 'BACKUP_RECIPIENT_INVALID',
  /** The file of the age identity is missing or has none (`AGE-SECRET-KEY-1…`). */
  IDENTITY_INVALID: 'BACKUP_IDENTITY_INVALID',
  /** The backup was made for other recipients. */
  NOT_FOR_IDENTITY: 'BACKUP_NOT_FOR_IDENTITY',
  /** The backup cannot be read, is cut off, was altered, or does not hold what its manifest says. */
  CORRUPT: 'BACKUP_CORRUPT',
  /** The backup was made by a newer version of the program. */
  TOO_NEW: 'BACKUP_TOO_NEW',
  /** There is nothing to be backed up: the operator has not run yet, or not with this configuration. */
  NOTHING_TO_KEEP: 'BACKUP_NOTHING_TO_KEEP',
  /** What would be written exists already; nothing is ever overwritten. */
  TARGET_EXISTS: 'BACKUP_TARGET_EXISTS',
  /** Writing failed: no room, no right. */
  WRITE_FAILED: 'BACKUP_WRITE_FAILED',
} as const;

export type BackupErrorCode = (typeof BackupErrorCode)[keyof typeof BackupErrorCode];

/** Failure of a backup's making, check or restoring. */
export class BackupError extends KeyloomError<BackupErrorCode> {}

export const corrupt = (why: string, cause?: unknown): BackupError =>
  new BackupError(BackupErrorCode.CORRUPT, `The backup is damaged: ${why}.`, { cause });

export const nothing = (why: string, cause?: unknown): BackupError =>
  new BackupError(
    BackupErrorCode.NOTHING_TO_KEEP,
    `There is nothing to be backed up: ${why}. Check the configuration, and run the operator first.`,
    { cause },
  );
