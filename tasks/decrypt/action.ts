import { idOf, integerOf, invalidArgument, listOf, timeoutOf } from '../arguments.ts';
import { listed, vector } from '../output.ts';
import { action } from '../run.ts';
import { ciphertextOf } from '../support/ciphertexts.ts';
import { requestPublicDecryption, waitForDecryption } from '../support/decryptions.ts';
import { epochOf, membersOf } from '../support/epochs.ts';
import { activeKeyOf } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import type { DecryptArguments } from './index.ts';

const MAX_POSITION = 0xffff_ffffn;

/** `kms decrypt` */
export default action<DecryptArguments>(async (args, { gateway, progress }) => {
  const handles = listOf(args.handle, '--handle').map((one) => idOf(one, '--handle'));
  const positions = args.positions === undefined ? [] : positionsOf(args.positions);
  const timeoutMs = timeoutOf(args.timeout);
  const ciphertexts = await Promise.all(handles.map((handle) => ciphertextOf(gateway, handle)));
  const key = await activeKeyOf(gateway, ciphertexts[0].keyId);
  const epoch = await epochOf(gateway, key.epochId);
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const start = performance.now();
  const requestId = await requestPublicDecryption(gateway, {
    ...{ handles, positions },
    onProgress: (text) => progress.say(text),
  });
  progress.say(`requested decryption ${requestId}`);
  const decryption = await waitForDecryption(gateway, requestId, {
    timeoutMs,
    failFast: !args.force,
    onProgress: progress.onProgress,
  });
  const milliseconds = Math.round(performance.now() - start);
  const { plaintexts, signers } = decryption;
  return {
    json: { requestId, keyId: key.keyId, positions, plaintexts, signers, milliseconds },
    lines: [
      ...plaintexts.flatMap(({ handle, coefficients, slots }) => [
        `ciphertext ${handle}`,
        ...(slots === undefined
          ? coefficients.map((value, item) => `  coefficient ${positions[item]}: ${value}`)
          : [`  slots: ${vector(slots)}`, `  coefficients: ${vector(coefficients)}`]),
      ]),
      `signed by operators ${listed(signers)}, accepted by the contract, ${milliseconds} ms`,
    ],
  };
});

function positionsOf(text: string): number[] {
  const positions = listOf(text, '--positions').map((one) => integerOf(one, '--positions'));
  if (positions.some((position) => position > MAX_POSITION))
    throw invalidArgument('--positions must be coefficient numbers below the degree');
  return positions.map(Number);
}
