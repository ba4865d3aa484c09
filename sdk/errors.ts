import { KeyloomError, type ErrorMetadata } from '../workers/errors.ts';

/** What can go wrong for a client that talks to operators and holds keys of its own. */
export const SdkErrorCode = {
  /** No operator had the blob, or none with the right digest. */
  BLOB_UNAVAILABLE: 'BLOB_UNAVAILABLE',
  /** Too few operators accepted an upload. */
  BLOB_REFUSED: 'BLOB_REFUSED',
  /** Too few operators signed the same of what is to be registered. */
  REGISTRATION_REFUSED: 'REGISTRATION_REFUSED',
  /** An operator's HTTP answer is not what its interface promises. */
  BAD_ANSWER: 'BAD_ANSWER',
  /** A permit that no contract would take: see docs/sdk.md, Permits. */
  PERMIT_INVALID: 'PERMIT_INVALID',
  /** A user's key is not SEAL's object for the parameter set, or its halves do not belong together. */
  USER_KEY_INVALID: 'USER_KEY_INVALID',
  /** An answer that holds no plaintext of the form that was asked for. */
  ANSWER_INVALID: 'ANSWER_INVALID',
} as const;

export type SdkErrorCode = (typeof SdkErrorCode)[keyof typeof SdkErrorCode];

/** A failure that a person can do something about: the message says what happened. */
export abstract class AdvisedError<Code extends string> extends KeyloomError<Code> {
  /** What to do about it. */
  readonly advice: string | undefined;

  constructor(
    code: Code,
    message: string,
    options: {
      advice?: string;
      metadata?: ErrorMetadata;
      culprits?: readonly number[];
      cause?: unknown;
    } = {},
  ) {
    super(code, message, options);
    this.advice = options.advice;
  }
}

export class SdkError extends AdvisedError<SdkErrorCode> {}
