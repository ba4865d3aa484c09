import type { Hex } from 'viem';

import { idOf, invalidArgument, required } from '../arguments.ts';
import type { UserDecryptArguments } from './index.ts';

/** What `kms user-decrypt` is to do, by the files that whoever runs it has. */
export type Mode =
  /** The user's own: asks, waits, reads. */
  | { readonly does: 'all'; readonly keyFile: string }
  /** For a user who is not here: asks only. */
  | { readonly does: 'send'; readonly permit: string; readonly publicKeyFile: string }
  /** Of a request that is there: waits and reads. */
  | { readonly does: 'read'; readonly keyFile: string; readonly requestId: Hex };

/** @throws ClientError `INVALID_ARGUMENT` */
export function modeOf(
  args: Pick<
    UserDecryptArguments,
    'handle' | 'keyFile' | 'publicKeyFile' | 'permit' | 'request' | 'packed'
  >,
): Mode {
  const { keyFile, publicKeyFile, permit } = args;
  if (args.request !== undefined) {
    for (const option of ['handle', 'permit', 'packed'] as const)
      if (args[option] !== undefined && args[option] !== false)
        throw invalidArgument(`--request has all but the keys in it: no ${names[option]}`);
    const requestId = idOf(args.request, '--request');
    return { does: 'read', keyFile: required(keyFile, '--key-file'), requestId };
  }
  if (keyFile !== undefined) return { does: 'all', keyFile: required(keyFile, '--key-file') };
  if (permit === undefined)
    throw invalidArgument('--key-file is missing: without it one can only send a --permit');
  if (publicKeyFile === undefined)
    throw invalidArgument('without --key-file, --permit needs the --public-key-file that it names');
  return { does: 'send', permit, publicKeyFile };
}

const names = {
  handle: '--handle',
  permit: '--permit',
  packed: '--packed',
} as const;
