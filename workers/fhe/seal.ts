import initialize from 'node-seal';
import type { ClassHandle, MainModule } from 'node-seal';
import { isKeyloomError } from '../errors.ts';
import { FheError, FheErrorCode } from './errors.ts';

/** Stock Microsoft SEAL, compiled to WebAssembly; loaded once per process. */
export const seal: MainModule = await initialize();

/** Makes a SEAL object live until the end of the enclosing `withSeal`, and returns it. */
export type Own = <Handle extends ClassHandle>(handle: Handle) => Handle;

/**
 * Runs `work` and then frees the SEAL objects it owned, last first, whether it threw or not.
 *
 * SEAL's objects live in WebAssembly memory, which JavaScript's garbage collector does not see. No
 * owned object may leave `work`; results are copied out as typed arrays.
 *
 * @throws FheError SEAL_FAILED for SEAL's own exceptions; coded errors of `work` pass unchanged
 */
export function withSeal<Result>(work: (own: Own) => Result): Result {
  const owned: ClassHandle[] = [];
  try {
    return work((handle) => {
      owned.push(handle);
      return handle;
    });
  } catch (cause) {
    if (isKeyloomError(cause)) throw cause;
    throw new FheError(FheErrorCode.SEAL_FAILED, 'SEAL refused', { cause });
  } finally {
    for (const handle of owned.reverse()) handle.delete();
  }
}

/** A SEAL object's uncompressed bytes, in memory of our own. */
export function savedBytes(object: { saveToArray(mode: unknown): unknown }): Uint8Array {
  return new Uint8Array(object.saveToArray(seal.ComprModeType.none) as Uint8Array);
}
