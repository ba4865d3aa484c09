import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { ceremonyOf, rollBack } from '../support/crs.ts';
import type { RollBackArguments } from './index.ts';

/** `kms crs rollback` */
export default action<RollBackArguments>(async (args, { gateway }) => {
  const ceremony = await ceremonyOf(gateway, idOf(args.id, 'the id'));
  const { ceremonyId } = ceremony;
  const position = await rollBack(gateway, ceremony);
  if (position === undefined)
    return {
      json: { ceremonyId, rolledBack: false },
      lines: ['no contribution of this ceremony was proven wrong: nothing to do'],
    };
  const { phase } = await ceremonyOf(gateway, ceremonyId);
  return {
    json: { ceremonyId, rolledBack: true, position, phase },
    lines: [
      phase === 'Revoked'
        ? `ceremony ${ceremonyId} is revoked: contribution ${position + 1} was proven wrong`
        : `contribution ${position + 1} and what followed it are gone: the ceremony goes on without them`,
    ],
  };
});
