import { isAddressEqual } from 'viem';

import { idOf, timeoutOf } from '../arguments.ts';
import { action } from '../run.ts';
import { epochOf, membersOf } from '../support/epochs.ts';
import {
  allowSwitching,
  requestEvaluationKeys,
  requireSwitchable,
  waitForEvaluationKeys,
} from '../support/evaluation-keys.ts';
import { activeKeyOf } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import { walletOf } from '../support/transactions.ts';
import type { KeyswitchArguments } from './index.ts';

/** `kms keyswitch` */
export default action<KeyswitchArguments>(
  async (args, { gateway, progress }) => {
    const source = await activeKeyOf(gateway, idOf(args.from, '--from'));
    const target = await activeKeyOf(gateway, idOf(args.to, '--to'));
    const timeoutMs = timeoutOf(args.timeout);
    requireSwitchable(source, target);
    const switching = { keyId: source.keyId, targetKeyId: target.keyId };
    const { address } = walletOf(gateway).account;
    if (args.allow) {
      await allowSwitching(gateway, switching);
      progress.say(`allowed switching from ${source.keyId} to ${target.keyId}`);
      if (!isAddressEqual(target.requester, address))
        return {
          json: { ...switching, allowed: true },
          lines: [
            `the owner of key ${target.keyId} may now have the switching key made:`,
            `${target.requester} runs \`kms keyswitch\` with the same keys, without --allow`,
          ],
        };
    }
    const epoch = await epochOf(gateway, target.epochId);
    if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
    const start = performance.now();
    const { requestId, requested } = await requestEvaluationKeys(
      gateway,
      { kind: 'switching', ...switching },
      (text) => progress.say(text),
    );
    progress.say(requested ? `requested ${requestId}` : `${requestId} has been requested before`);
    const { entries } = await waitForEvaluationKeys(gateway, requestId, {
      timeoutMs,
      failFast: !args.force,
      onProgress: progress.onProgress,
    });
    const milliseconds = Math.round(performance.now() - start);
    return {
      json: { requestId, ...switching, digest: entries[0].digest, requested, milliseconds },
      lines: [
        `the switching key from ${source.keyId} to ${target.keyId} is recorded (${milliseconds} ms)`,
        `SHA-256 of its entry: ${entries[0].digest}`,
        'download it with `kms key download TO --switch-from FROM --out FILE`',
      ],
    };
  },
  ({ account }) => account,
);
