import { table } from '../output.ts';
import { action } from '../run.ts';
import { committeeSizes } from '../../workers/fhe/figures.ts';
import { listParameterSets } from '../support/parameters.ts';
import type { ListArguments } from './index.ts';

/** `kms parameters list` */
export default action<ListArguments>(async (_, { gateway }) => {
  const sets = await listParameterSets(gateway);
  return {
    json: { parameterSets: sets },
    lines:
      sets.length === 0
        ? ['no parameter set has been added yet']
        : table([
            ['name', 'degree', 'plain modulus', 'committees', 'id'],
            ...sets.map((set) => [
              set.name,
              String(set.degree),
              String(set.plainModulus),
              committeeSizes.filter((_, i) => set.decryptionLimbs[i] !== 0).join(', '),
              set.id,
            ]),
          ]),
  };
});
