import { readFile } from 'node:fs/promises';

import type { Registration } from '../../sdk/index.ts';
import { kzgParameters } from '../../workers/proofs/kzg/parameters.ts';
import { idOf, invalidArgument, required } from '../arguments.ts';
import { action } from '../run.ts';
import { registerCiphertext } from '../support/ciphertexts.ts';
import { checkedAddress, type Gateway } from '../support/gateway.ts';
import { activeKeyOf, parametersOf } from '../support/keys.ts';
import { registerByProof, type RegisteredByProof } from '../support/proven.ts';
import { walletOf } from '../support/transactions.ts';
import type { RegisterArguments } from './index.ts';

/** `kms register` */
export default action<RegisterArguments>(async (args, { gateway, progress }) => {
  const onProgress = (text: string): void => progress.say(text);
  const bytes = new Uint8Array(await readFile(required(args.in, '--in')));
  const ciphertext =
    args.proof === undefined
      ? await vouched(args, gateway, bytes, onProgress)
      : await proven(args, gateway, bytes, onProgress);
  return {
    json: { ...ciphertext, bytes: bytes.length },
    lines: [
      `ciphertext ${ciphertext.handle} is registered (${bytes.length} bytes)`,
      `SHA-256 ${ciphertext.digest}; noise of at most ${ciphertext.noiseBits} bits at the first level`,
      `held by ${ciphertext.acceptedBy.length} operators; ${ciphertext.owner} may have it decrypted`,
    ],
  };
});

/** What anybody may do. */
async function proven(
  args: RegisterArguments,
  gateway: Gateway,
  ciphertext: Uint8Array,
  onProgress: (text: string) => void,
): Promise<RegisteredByProof> {
  if (args.noiseBits !== 0 || args.source !== undefined)
    throw invalidArgument('a --proof says what --noise-bits and --source would');
  const owner = args.owner === undefined ? undefined : checkedAddress(args.owner, '--owner');
  const proof = new Uint8Array(await readFile(required(args.proof, '--proof')));
  const keyId = idOf(args.key, '--key');
  const set = parametersOf(await activeKeyOf(gateway, keyId));
  const registration: Registration = {
    ...{ keyId, owner: owner ?? walletOf(gateway).account.address, ciphertext, proof },
    // The two kinds have one length each under a parameter set; what has neither is refused as it is.
    origin: proof.length === kzgParameters(set).proofBytes ? 'kzg' : 'lattice',
  };
  return registerByProof(gateway, registration, onProgress);
}

/** What only registrars may do. */
async function vouched(
  args: RegisterArguments,
  gateway: Gateway,
  bytes: Uint8Array,
  onProgress: (text: string) => void,
): Promise<RegisteredByProof> {
  const { noiseBits } = args;
  if (noiseBits < 1) throw invalidArgument('--proof is missing, or --noise-bits, or not positive');
  if (args.owner !== undefined && args.source !== undefined)
    throw invalidArgument('a switched ciphertext has the owner of its --source');
  return registerCiphertext(gateway, {
    ...{ keyId: idOf(args.key, '--key'), bytes, noiseBits, onProgress },
    ...(args.owner === undefined ? {} : { owner: checkedAddress(args.owner, '--owner') }),
    ...(args.source === undefined ? {} : { source: idOf(args.source, '--source') }),
  });
}
