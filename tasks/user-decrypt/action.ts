import { readFile } from 'node:fs/promises';
import type { Hex } from 'viem';

import type { UserKeys } from '../../sdk/index.ts';
import { idOf, invalidArgument, listOf, timeoutOf } from '../arguments.ts';
import { listed, vector, type TaskResult } from '../output.ts';
import { action, type TaskContext } from '../run.ts';
import { ciphertextOf } from '../support/ciphertexts.ts';
import { epochOf, membersOf } from '../support/epochs.ts';
import { activeKeyOf, keyOf, parametersOf } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import { readPermit, signPermit, type SignedPermit } from '../support/permits.ts';
import {
  requestUserDecryption,
  userDecryptionOf,
  waitForUserDecryption,
} from '../support/user-decryptions.ts';
import { readPublicUserKey, readUserKeys } from '../support/user-keys.ts';
import type { UserDecryptArguments } from './index.ts';
import { modeOf } from './mode.ts';

/** `kms user-decrypt` */
export default action<UserDecryptArguments>(async (args, context) => {
  const mode = modeOf(args);
  const timeoutMs = timeoutOf(args.timeout);
  const start = performance.now();
  if (mode.does === 'read') {
    const { keyId, publicKeyDigest } = await userDecryptionOf(context.gateway, mode.requestId);
    const set = parametersOf(await keyOf(context.gateway, keyId));
    const { secretKey, digest } = await readUserKeys(set, mode.keyFile, args.publicKeyFile);
    // Another key would decrypt, too: to something else.
    if (digest !== publicKeyDigest)
      throw invalidArgument('--request is for another key than that of --key-file');
    return read(args, context, { requestId: mode.requestId, secretKey, timeoutMs, start });
  }
  const { gateway, progress } = context;
  const given =
    args.permit === undefined ? undefined : readPermit(await readFile(args.permit, 'utf8'));
  const handles = handlesOf(args, given);
  const ciphertexts = await Promise.all(handles.map((handle) => ciphertextOf(gateway, handle)));
  const key = await activeKeyOf(gateway, ciphertexts[0].keyId);
  const set = parametersOf(key);
  const keys: Pick<UserKeys, 'publicKey' | 'digest'> & { secretKey?: Uint8Array } =
    mode.does === 'all'
      ? await readUserKeys(set, mode.keyFile, args.publicKeyFile)
      : await readPublicUserKey(set, mode.publicKeyFile);
  const { secretKey } = keys;
  const epoch = await epochOf(gateway, key.epochId);
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const signed =
    given ??
    (await signPermit(gateway, {
      handles,
      publicKeyDigest: keys.digest,
      validSeconds: args.validFor,
    }));
  const requestId = await requestUserDecryption(gateway, {
    ...signed,
    keys,
    handles,
    packed: args.packed,
    onProgress: (text) => progress.say(text),
  });
  if (secretKey !== undefined)
    return read(args, context, { requestId, secretKey, timeoutMs, start });
  const { user } = signed.permit.message;
  return {
    json: { requestId, keyId: key.keyId, user, packed: args.packed },
    lines: [
      `requested decryption ${requestId}`,
      `${user} reads it with \`kms user-decrypt --request ${requestId} --key-file FILE\``,
    ],
  };
});

/** Waits for a request and shows what the user's secret key makes of the answer. */
async function read(
  args: UserDecryptArguments,
  { gateway, progress }: TaskContext,
  from: { requestId: Hex; secretKey: Uint8Array; timeoutMs: number; start: number },
): Promise<TaskResult> {
  const { requestId, secretKey, timeoutMs, start } = from;
  const found = await waitForUserDecryption(
    gateway,
    requestId,
    { secretKey },
    { timeoutMs, failFast: !args.force, onProgress: progress.onProgress },
  );
  const { plaintexts, signers, user, keyId, packed } = found;
  const milliseconds = Math.round(performance.now() - start);
  return {
    json: { requestId, keyId, user, packed, plaintexts, signers, milliseconds },
    lines: [
      ...plaintexts.flatMap(({ handle, coefficients, slots }) => [
        `ciphertext ${handle}`,
        ...(packed ? [`  value: ${coefficients[0]}`] : []),
        ...(slots === undefined ? [] : [`  slots: ${vector(slots)}`]),
        ...(packed ? [] : [`  coefficients: ${vector(coefficients)}`]),
      ]),
      `decrypted here for ${user}; signed by operators ${listed(signers)}, ${milliseconds} ms`,
    ],
  };
}

function handlesOf(
  { handle }: UserDecryptArguments,
  given: SignedPermit | undefined,
): readonly Hex[] {
  const named = given?.permit.message.handles ?? [];
  if (handle === undefined && named.length > 0) return named;
  return listOf(handle, '--handle').map((one) => idOf(one, '--handle'));
}
