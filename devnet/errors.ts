import { KeyloomError } from '../workers/errors.ts';

export const DevnetErrorCode = {
  /** A port that has to be this one is in use by another program. */
  PORT_TAKEN: 'PORT_TAKEN',
  /** A child process ended before it was ready. Its log is named in the metadata. */
  PROCESS_EXITED: 'PROCESS_EXITED',
  /** A condition was not met before its deadline. */
  DEADLINE_PASSED: 'DEADLINE_PASSED',
  /** The execution client has no program for this machine. */
  CLIENT_MISSING: 'CLIENT_MISSING',
  /** A command line option is unknown or has a value that makes no sense. */
  BAD_OPTION: 'BAD_OPTION',
  /** The operator program gave an answer that could not be understood. */
  OPERATOR_ANSWER_INVALID: 'OPERATOR_ANSWER_INVALID',
  /** A decrypted value differs from the encrypted one, or the liar was not named. */
  DEMO_FAILED: 'DEMO_FAILED',
} as const;
export type DevnetErrorCode = (typeof DevnetErrorCode)[keyof typeof DevnetErrorCode];

export class DevnetError extends KeyloomError<DevnetErrorCode> {}
