import type { Hex } from 'viem';

import { listingOf } from '../../workers/computations/listing.ts';
import { idOf, invalidArgument, listOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { computeAndRegister } from '../support/computations.ts';
import type { ComputeArguments } from './index.ts';

/** `kms compute` */
export default action<ComputeArguments>(async (args, { gateway, progress }) => {
  const names = namesOf(args.with);
  const { program, ...computed } = await computeAndRegister(gateway, {
    expression: required(args.program, '--program'),
    names,
    ...(args.key === undefined ? {} : { keyId: idOf(args.key, '--key') }),
    onProgress: (text) => progress.say(text),
  });
  const listing = listingOf(program, names);
  return {
    json: { ...computed, program: listing },
    lines: [
      `ciphertext ${computed.handle} is registered`,
      `computed by the operators: ${listing}`,
      `SHA-256 ${computed.digest}; noise of at most ${computed.noiseBits} bits`,
      `${computed.owner} may have it decrypted`,
    ],
  };
});

/** `a=HANDLE,b=HANDLE` */
function namesOf(text: string): Record<string, Hex> {
  const entries = listOf(text, '--with').map((part): [string, Hex] => {
    const [name, handle, ...rest] = part.split('=');
    if (handle === undefined || rest.length > 0)
      throw invalidArgument(`--with must be like a=HANDLE,b=HANDLE: ${part}`);
    return [name.trim(), idOf(handle.trim(), `--with ${name}`)];
  });
  const names = new Map(entries);
  if (names.size !== entries.length) throw invalidArgument('--with names something twice');
  return Object.fromEntries(names);
}
