import { ClientError, ClientErrorCode } from './errors.ts';

/** A failure of the file system as a coded error; anything else as it is. */
export function fileFailure(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause) || !('path' in cause)) return cause;
  return new ClientError(ClientErrorCode.FILE_FAILED, cause.message, {
    advice: 'Check the path. Keys of yours are never overwritten: name a new folder.',
    cause,
  });
}
