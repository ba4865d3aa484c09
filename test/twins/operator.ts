/**
 * An operator that deviates: `node test/twins/operator.ts --conduct NAME run --config FILE`.
 *
 * All of it is the production program, but for what it hands to peers that ask for its shares.
 */
import { once } from 'node:events';
import process from 'node:process';

import type { HandOver } from '../../workers/operator/context.ts';
import { sign } from '../../workers/operator/context.ts';
import { main } from '../../workers/operator/main.ts';
import type { Conduct } from '../../workers/protocols/opening.ts';
import type { RnsVector } from '../../workers/ring/basis.ts';
import { commitShare } from '../../workers/sharing/commitment.ts';
import { conducts } from './index.ts';

/** Signs whatever the conduct makes of the share, as a liar that wants to be believed does. */
function handOverBy(conduct: Conduct): HandOver {
  let latest: { id: string; share: RnsVector } | undefined;
  let previous: RnsVector | undefined;
  return async (context, { seat, opening, share }, to, signal) => {
    if (latest !== undefined && latest.id !== opening.id) previous = latest.share;
    latest = { id: opening.id, share };
    const residues = conduct(share, { opening, to, ...(previous && { previous }) });
    if (residues === undefined) {
      if (!signal.aborted) await once(signal, 'abort');
      throw signal.reason;
    }
    const { epochId } = seat.session;
    const message = { epochId, openingId: opening.id, root: commitShare(residues) };
    return { residues, signature: await sign(context, { type: 'ShareCommitment', message }) };
  };
}

const at = process.argv.indexOf('--conduct');
const name = process.argv[at + 1] ?? '';
const conduct = conducts[name];
if (at < 0 || conduct === undefined) {
  process.stderr.write(`--conduct must be one of ${Object.keys(conducts).join(', ')}\n`);
  process.exitCode = 2;
} else {
  const others = process.argv.toSpliced(at, 2).slice(2);
  process.exitCode = await main(others, handOverBy(conduct));
}
