import { readFile } from 'node:fs/promises';

import { idOf, invalidArgument, required } from '../arguments.ts';
import { action } from '../run.ts';
import { registerCiphertext } from '../support/ciphertexts.ts';
import { checkedAddress } from '../support/gateway.ts';
import type { RegisterArguments } from './index.ts';

/** `kms register` */
export default action<RegisterArguments>(async (args, { gateway, progress }) => {
  const { noiseBits } = args;
  if (noiseBits < 1) throw invalidArgument('--noise-bits is missing, or not positive');
  if (args.owner !== undefined && args.origin !== undefined)
    throw invalidArgument('a switched ciphertext has the owner of its --origin');
  const { bytes, ...ciphertext } = await registerCiphertext(gateway, {
    keyId: idOf(args.key, '--key'),
    bytes: new Uint8Array(await readFile(required(args.in, '--in'))),
    noiseBits,
    ...(args.owner === undefined ? {} : { owner: checkedAddress(args.owner, '--owner') }),
    ...(args.origin === undefined ? {} : { origin: idOf(args.origin, '--origin') }),
    onProgress: (text) => progress.say(text),
  });
  return {
    json: { ...ciphertext, bytes: bytes.length },
    lines: [
      `ciphertext ${ciphertext.handle} is registered (${bytes.length} bytes)`,
      `SHA-256 ${ciphertext.digest}; noise of at most ${noiseBits} bits, ${ciphertext.noiseBits} at the first level`,
      `held by ${ciphertext.acceptedBy.length} operators; ${ciphertext.owner} may have it decrypted`,
    ],
  };
});
