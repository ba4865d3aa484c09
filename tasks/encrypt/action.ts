import type { Values } from '../../sdk/index.ts';
import { idOf, integerOf, invalidArgument, listOf } from '../arguments.ts';
import { action } from '../run.ts';
import { encryptAndRegister } from '../support/ciphertexts.ts';
import { checkedAddress } from '../support/gateway.ts';
import type { EncryptArguments } from './index.ts';

/** `kms encrypt` */
export default action<EncryptArguments>(async (args, { gateway, progress }) => {
  const registered = await encryptAndRegister(gateway, {
    keyId: idOf(args.key, '--key'),
    values: valuesOf(args),
    ...(args.owner === undefined ? {} : { owner: checkedAddress(args.owner, '--owner') }),
    onProgress: (text) => progress.say(text),
  });
  const { bytes, ...ciphertext } = registered;
  return {
    json: { ...ciphertext, bytes: bytes.length },
    lines: [
      `ciphertext ${registered.handle} is registered (${bytes.length} bytes)`,
      `SHA-256 ${registered.digest}; noise of at most ${registered.noiseBits} bits`,
      `held by ${registered.acceptedBy.length} operators; ${registered.owner} may have it decrypted`,
    ],
  };
});

function valuesOf(args: EncryptArguments): Values {
  if ((args.slots === undefined) === (args.scalar === undefined))
    throw invalidArgument('give either --slots or --scalar');
  if (args.scalar !== undefined) return { scalar: integerOf(args.scalar, '--scalar') };
  return { slots: listOf(args.slots, '--slots').map((one) => integerOf(one, '--slots')) };
}
