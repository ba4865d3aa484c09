import { listed, table } from '../output.ts';
import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { describeCeremony } from '../status/ceremony.ts';
import { listCeremonies } from '../support/crs.ts';
import type { StatusArguments } from './index.ts';

/** `kms crs status [ID]` */
export default action<StatusArguments>(async (args, { gateway }) => {
  if (args.id !== '') return describeCeremony(gateway, idOf(args.id, 'the id'));
  const ceremonies = await listCeremonies(gateway);
  return {
    json: { ceremonies },
    lines:
      ceremonies.length === 0
        ? ['no ceremony has been requested yet']
        : table([
            ['ceremony', 'powers', 'phase', 'contributors'],
            ...ceremonies.map(({ ceremonyId, power, phase, contributions }) => [
              ...[ceremonyId, `2^${power}`, phase],
              listed(contributions.map(({ index }) => index)),
            ]),
          ]),
  };
});
