import { idOf, required, timeoutOf } from '../arguments.ts';
import { action } from '../run.ts';
import { requestCrs, slotSecondsFor, waitForCrs } from '../support/crs.ts';
import { epochOf, latestActiveEpoch, membersOf } from '../support/epochs.ts';
import { labelOf } from '../support/keys.ts';
import { requireQuorum } from '../support/operators.ts';
import type { RequestArguments } from './index.ts';

/** `kms crs request` */
export default action<RequestArguments>(async (args, { gateway, progress }) => {
  const salt = labelOf(required(args.label, '--label'));
  const timeoutMs = timeoutOf(args.timeout);
  const epoch =
    args.epoch === undefined
      ? await latestActiveEpoch(gateway)
      : await epochOf(gateway, idOf(args.epoch, '--epoch'));
  if (!args.force) await requireQuorum(epoch, await membersOf(gateway, epoch));
  const { epochId } = epoch;
  const { power, beacon } = args;
  const slotSeconds = args.slot === 0 ? slotSecondsFor(power) : args.slot;
  const { ceremonyId, requested } = await requestCrs(
    gateway,
    { epochId, power, slotSeconds, beaconIterationsExp: beacon, salt },
    (text) => progress.say(text),
  );
  const asked = requested
    ? `requested ceremony ${ceremonyId}: 2^${power} powers, ${slotSeconds} s for each operator`
    : `ceremony ${ceremonyId} has been requested before`;
  if (!args.wait)
    return {
      json: { ceremonyId, epochId, requested, slotSeconds },
      lines: [asked, `follow it with \`kms crs status ${ceremonyId}\``],
    };
  progress.say(asked);
  const ceremony = await waitForCrs(gateway, ceremonyId, {
    ...{ timeoutMs, failFast: !args.force, onProgress: progress.onProgress },
  });
  const { contributions } = ceremony;
  return {
    json: { requested, ...ceremony },
    lines: [
      `ceremony ${ceremonyId} is recorded with ${contributions.length} contributions`,
      `get it with \`kms crs export ${ceremonyId} --out FILE\``,
    ],
  };
});
