import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { checkedAddress } from '../support/gateway.ts';
import { keyOf } from '../support/keys.ts';
import { describeMeter, meterOf, quotaOf } from '../support/meter.ts';
import type { StatusArguments } from './index.ts';

/** `kms meter status` */
export default action<StatusArguments>(async (args, { gateway }) => {
  const { keyId } = await keyOf(gateway, idOf(args.id, 'the id'));
  const meter = await meterOf(gateway, keyId);
  const account =
    args.account === undefined ? undefined : checkedAddress(args.account, '--account');
  const quota = account === undefined ? undefined : await quotaOf(gateway, keyId, account);
  return {
    json: { keyId, ...meter, ...(quota === undefined ? {} : { account, quota }) },
    lines: [
      `key ${keyId}`,
      describeMeter(meter),
      ...(quota === undefined
        ? []
        : [`${account ?? ''} has spent ${quota.spent} of at most ${quota.quota}`]),
    ],
  };
});
