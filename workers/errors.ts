/** What a failure may carry beside its code: public values only, never a share, key or seed. */
export type ErrorMetadata = Readonly<
  Record<string, string | number | bigint | boolean | undefined>
>;

/**
 * Base of every error that Keyloom's workers throw.
 *
 * Each module declares its codes in its own `errors.ts` (one documented member each) and extends
 * this class once. Callers and tests branch on `code`; the message is for people.
 */
export abstract class KeyloomError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly metadata: ErrorMetadata;
  /** Committee indices (1-based) of the operators that caused the failure, where it is attributable. */
  readonly culprits: readonly number[];

  constructor(
    code: Code,
    message: string,
    options: { metadata?: ErrorMetadata; culprits?: readonly number[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.metadata = options.metadata ?? {};
    this.culprits = options.culprits ?? [];
  }
}

/** True if `error` is a Keyloom error, of the given code where one is named. */
export function isKeyloomError(error: unknown, code?: string): error is KeyloomError {
  return error instanceof KeyloomError && (code === undefined || error.code === code);
}
