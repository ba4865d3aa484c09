import { agreeOnBlock } from '../chain-view/views.ts';
import { membershipIn } from '../committee/membership.ts';
import { isEnded } from '../committee/seats.ts';
import { completeSetUp, dealAndAcknowledge } from '../committee/set-up.ts';
import type { Job } from './jobs.ts';
import { requestJobs } from './requests.ts';
import type { DutySources } from './sources.ts';

export type { DutySources } from './sources.ts';

/**
 * Everything that the confirmed chain asks of this operator now.
 *
 * A job's id holds the height of the request's block, so a request that comes back in another block
 * after a reorganisation is another job.
 */
export function duties(sources: DutySources): Job[] {
  return [...setUps(sources), ...erasures(sources), ...requestJobs(sources)];
}

function* setUps({ context, chain, seats }: DutySources): Generator<Job> {
  const self = context.account.address;
  for (const proposal of chain.now.proposals.values()) {
    const membership = membershipIn(proposal, self);
    if (membership === undefined || proposal.phase !== 'proposed') continue;
    const { proposalId, height } = proposal;
    yield {
      id: `deal/${proposalId}/${height}`,
      run: (signal) => dealAndAcknowledge(context, chain, membership, proposalId, signal),
    };
  }
  for (const epoch of chain.now.epochs.values()) {
    const membership = membershipIn(epoch, self);
    if (membership === undefined || isEnded(epoch)) continue;
    if (epoch.confirmations.has(membership.index)) continue;
    yield {
      id: `set-up/${epoch.epochId}/${epoch.height}`,
      run: async (signal) => {
        await completeSetUp(context, membership, epoch, signal);
        seats.refresh();
      },
    };
  }
}

/** Secrets go for good, so not on the word of one endpoint: 2t+1 operators see the epoch ended. */
function* erasures({ context, chain, seats, reread }: DutySources): Generator<Job> {
  for (const epoch of chain.now.epochs.values()) {
    if (!isEnded(epoch) || !seats.hasSecrets(epoch)) continue;
    const { epochId, height } = epoch;
    yield {
      id: `erase/${epochId}/${height}`,
      run: async (signal) => {
        if (!seats.hasSecrets(epoch)) return;
        const place = await seats.place(epochId, signal);
        await agreeOnBlock(context, place, chain.block(height)!, signal, {
          onWaiting: () => undefined,
          onOutvoted: () => reread(height),
        });
        seats.erase(epoch);
      },
    };
  }
}
