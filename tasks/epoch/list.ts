import { table } from '../output.ts';
import { action } from '../run.ts';
import { listProposals } from '../support/epochs.ts';
import type { ListArguments } from './index.ts';

/** `kms epoch list` */
export default action<ListArguments>(async (_, { gateway }) => {
  const proposals = await listProposals(gateway);
  return {
    json: {
      epochs: proposals.map(({ committee, ...proposal }) => ({ ...proposal, n: committee.n })),
    },
    lines:
      proposals.length === 0
        ? ['no committee has been proposed yet']
        : table([
            ['phase', 'n', 'epoch or proposal'],
            ...proposals.map(({ phase, committee, epochId, proposalId }) => [
              phase,
              String(committee.n),
              epochId ?? `${proposalId} (proposal)`,
            ]),
          ]),
  };
});
