import { idOf, integerOf, invalidArgument, required } from '../arguments.ts';
import { action } from '../run.ts';
import { checkedAddress } from '../support/gateway.ts';
import { keyOf } from '../support/keys.ts';
import { describeMeter, grantUnits, meterOf } from '../support/meter.ts';
import type { GrantArguments } from './index.ts';

const MAX_UNITS = (1n << 64n) - 1n;

/** `kms meter grant` */
export default action<GrantArguments>(async (args, { gateway }) => {
  const { keyId } = await keyOf(gateway, idOf(args.key, '--key'));
  const consumer = checkedAddress(required(args.account, '--account'), '--account');
  const units = integerOf(required(args.units, '--units'), '--units');
  if (units === 0n || units > MAX_UNITS)
    throw invalidArgument('--units must be at least 1 and below 2^64');
  await grantUnits(gateway, { keyId, consumer, units });
  const meter = await meterOf(gateway, keyId);
  return {
    json: { keyId, account: consumer, units, ...meter },
    lines: [`${consumer} may spend ${units} more under key ${keyId}`, describeMeter(meter)],
  };
});
