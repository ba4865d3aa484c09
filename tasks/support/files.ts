import { ClientError, ClientErrorCode } from './errors.ts';

/** A failure of the file system as a coded error; anything else as it is. */
export function fileFailure(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause) || !('path' in cause)) return cause;
  const exists = 'code' in cause && cause.code === 'EEXIST';
  return new ClientError(ClientErrorCode.FILE_FAILED, cause.message, {
    advice: exists
      ? 'Keys are never overwritten: name a new folder.'
      : 'Check the path and its permissions.',
    cause,
  });
}
