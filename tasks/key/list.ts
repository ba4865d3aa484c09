import { labelText, table } from '../output.ts';
import { action } from '../run.ts';
import { listKeys } from '../support/keys.ts';
import { listParameterSets } from '../support/parameters.ts';
import type { ListArguments } from './index.ts';

/** `kms key list` */
export default action<ListArguments>(async (_, { gateway }) => {
  const [keys, sets] = await Promise.all([listKeys(gateway), listParameterSets(gateway)]);
  const nameOf = (id: string): string => sets.find((set) => set.id === id)?.name ?? id;
  const named = keys.map((key) => ({ ...key, parameterSet: nameOf(key.parameterSetId) }));
  return {
    json: { keys: named },
    lines:
      keys.length === 0
        ? ['no key has been requested yet']
        : table([
            ['key', 'state', 'parameter set', 'label', 'owner'],
            ...named.map(({ keyId, state, parameterSet, label, requester }) => [
              ...[keyId, state, parameterSet, labelText(label), requester],
            ]),
          ]),
  };
});
