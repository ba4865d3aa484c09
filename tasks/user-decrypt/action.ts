import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';

import { idOf, listOf, required, timeoutOf } from '../arguments.ts';
import { listed, vector } from '../output.ts';
import { action } from '../run.ts';
import { ciphertextOf } from '../support/ciphertexts.ts';
import { epochOf, membersOf } from '../support/epochs.ts';
import { activeKeyOf, parametersOf } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import { readPermit, signPermit, type SignedPermit } from '../support/permits.ts';
import { requestUserDecryption, waitForUserDecryption } from '../support/user-decryptions.ts';
import { readUserKeys } from '../support/user-keys.ts';
import type { UserDecryptArguments } from './index.ts';

/** `kms user-decrypt` */
export default action<UserDecryptArguments>(async (args, { gateway, progress }) => {
  const given =
    args.permit === undefined ? undefined : readPermit(await readFile(args.permit, 'utf8'));
  const handles = handlesOf(args, given);
  const secretFile = required(args.keyFile, '--key-file');
  const timeoutMs = timeoutOf(args.timeout);
  const ciphertexts = await Promise.all(handles.map((handle) => ciphertextOf(gateway, handle)));
  const key = await activeKeyOf(gateway, ciphertexts[0].keyId);
  const keys = await readUserKeys(parametersOf(key), secretFile, args.publicKeyFile);
  const epoch = await epochOf(gateway, key.epochId);
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const signed =
    given ??
    (await signPermit(gateway, {
      handles,
      publicKeyDigest: keys.digest,
      validSeconds: args.validFor,
    }));
  const start = performance.now();
  const requestId = await requestUserDecryption(gateway, {
    ...signed,
    keys,
    handles,
    packed: args.packed,
    onProgress: (text) => progress.say(text),
  });
  const { plaintexts, signers, user } = await waitForUserDecryption(gateway, requestId, keys, {
    timeoutMs,
    failFast: !args.force,
    onProgress: progress.onProgress,
  });
  const milliseconds = Math.round(performance.now() - start);
  return {
    json: {
      ...{ requestId, keyId: key.keyId, user, packed: args.packed },
      ...{ plaintexts, signers, milliseconds },
    },
    lines: [
      ...plaintexts.flatMap(({ handle, coefficients, slots }) => [
        `ciphertext ${handle}`,
        ...(args.packed ? [`  value: ${coefficients[0]}`] : []),
        ...(slots === undefined ? [] : [`  slots: ${vector(slots)}`]),
        ...(args.packed ? [] : [`  coefficients: ${vector(coefficients)}`]),
      ]),
      `decrypted here for ${user}; signed by operators ${listed(signers)}, ${milliseconds} ms`,
    ],
  };
});

function handlesOf(
  { handle }: UserDecryptArguments,
  given: SignedPermit | undefined,
): readonly Hex[] {
  const named = given?.permit.message.handles ?? [];
  if (handle === undefined && named.length > 0) return named;
  return listOf(handle, '--handle').map((one) => idOf(one, '--handle'));
}
