import { randomBytes } from 'node:crypto';
import { bytesToHex } from 'viem';

import { listOf, timeoutOf } from '../arguments.ts';
import { listed } from '../output.ts';
import { action } from '../run.ts';
import { proposeEpoch, waitForEpoch } from '../support/epochs.ts';
import { checkedAddress } from '../support/gateway.ts';
import { labelOf } from '../support/keys.ts';
import type { ProposeArguments } from './index.ts';

/** `kms epoch propose` */
export default action<ProposeArguments>(async (args, { gateway, progress }) => {
  const operators = listOf(args.operators, '--operators').map((one) =>
    checkedAddress(one, 'an entry of --operators'),
  );
  const timeoutMs = timeoutOf(args.timeout);
  const salt = args.salt === undefined ? bytesToHex(randomBytes(32)) : labelOf(args.salt);
  progress.say('proposing the committee');
  const proposalId = await proposeEpoch(gateway, { operators, salt });
  const epoch = await waitForEpoch(gateway, proposalId, {
    timeoutMs,
    failFast: true,
    onProgress: progress.onProgress,
  });
  const { epochId, setupDigest, confirmed, committee } = epoch;
  return {
    json: { epochId, proposalId, setupDigest, confirmed, n: committee.n, t: committee.t },
    lines: [
      `epoch ${epochId} is active`,
      `${committee.n} operators; ${committee.quorum} answer requests, ${committee.t} may be malicious or down`,
      `confirmed by ${listed(confirmed)}`,
    ],
  };
});
