import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';

import type { Crs } from '../../workers/proofs/kzg/crs.ts';
import { idOf, invalidArgument, required, valuesOf } from '../arguments.ts';
import { action } from '../run.ts';
import { encryptAndRegister } from '../support/proven.ts';
import { checkedAddress, type Gateway } from '../support/gateway.ts';
import { crsIn } from '../support/kzg.ts';
import type { EncryptArguments } from './index.ts';

/** `kms encrypt` */
export default action<EncryptArguments>(async (args, { gateway, progress }) => {
  const keyId = idOf(args.key, '--key');
  const registered = await encryptAndRegister(gateway, {
    keyId,
    values: valuesOf(args),
    ...(args.owner === undefined ? {} : { owner: checkedAddress(args.owner, '--owner') }),
    ...(await crsOf(args, gateway, keyId)),
    onProgress: (text) => progress.say(text),
  });
  const { bytes, ...ciphertext } = registered;
  return {
    json: { ...ciphertext, bytes: bytes.length },
    lines: [
      `ciphertext ${registered.handle} is registered (${bytes.length} bytes)`,
      `SHA-256 ${registered.digest}; noise of at most ${registered.noiseBits} bits, by its ${registered.origin} proof`,
      `held by ${registered.acceptedBy.length} operators; ${registered.owner} may have it decrypted`,
    ],
  };
});

/** The powers of tau that a kzg proof is made with; a lattice proof takes none. */
async function crsOf(
  { proof, crs }: EncryptArguments,
  gateway: Gateway,
  keyId: Hex,
): Promise<{ crs?: Crs }> {
  if (proof !== 'lattice' && proof !== 'kzg')
    throw invalidArgument('--proof must be lattice or kzg');
  if (proof === 'kzg')
    return {
      crs: await crsIn(gateway, keyId, new Uint8Array(await readFile(required(crs, '--crs')))),
    };
  if (crs !== undefined) throw invalidArgument('a lattice proof takes no --crs');
  return {};
}
