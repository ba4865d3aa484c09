import { labelText, table, type TaskResult } from '../output.ts';
import { listProposals } from '../support/epochs.ts';
import type { Gateway } from '../support/gateway.ts';
import { listKeys } from '../support/keys.ts';
import { listOperators } from '../support/registration.ts';

/** The deployment as a whole: contracts, operators, epochs, keys. */
export async function describeDeployment(gateway: Gateway): Promise<TaskResult> {
  const [block, operators, proposals, keys] = await Promise.all([
    gateway.client.getBlockNumber(),
    listOperators(gateway),
    listProposals(gateway),
    listKeys(gateway),
  ]);
  const active = proposals.filter(({ phase }) => phase === 'Active');
  return {
    json: {
      kind: 'deployment',
      chainId: gateway.chainId,
      block,
      addresses: { ...gateway.addresses, feeVault: gateway.feeVault },
      operators: operators.length,
      activeEpochs: active.map(({ epochId }) => epochId),
      keys,
    },
    lines: [
      `chain ${gateway.chainId}, block ${block}`,
      ...table(Object.entries({ ...gateway.addresses, feeVault: gateway.feeVault })),
      `${operators.length} operators; active epochs: ${active.length}`,
      ...active.map(({ epochId, committee }) => `  ${epochId ?? ''} (n = ${committee.n})`),
      `keys: ${keys.length}`,
      ...keys.map(({ keyId, state, label }) => `  ${keyId} ${state} ${labelText(label)}`),
    ],
  };
}
