import type { Hex } from 'viem';

import { instant, listed, type TaskResult } from '../output.ts';
import { ceremonyOf, type Ceremony } from '../support/crs.ts';
import { indicesIn } from '../support/epochs.ts';
import type { Gateway } from '../support/gateway.ts';
import { describeFee } from './fee.ts';
import { viewsOf } from './views.ts';

/** A ceremony, and what the operators say of it. @throws ClientError `UNKNOWN_ID` */
export async function describeCeremony(gateway: Gateway, ceremonyId: Hex): Promise<TaskResult> {
  const ceremony = await ceremonyOf(gateway, ceremonyId);
  const views = await viewsOf(gateway, ceremony.epochId, ceremonyId);
  const fee = await describeFee(gateway, 'crsManager', ceremonyId);
  const { power, beaconIterationsExp, contributions, excluded } = ceremony;
  const beacon =
    beaconIterationsExp === 0 ? 'no beacon' : `a beacon hashed 2^${beaconIterationsExp} times`;
  return {
    json: { kind: 'ceremony', ...ceremony, ...fee.json, ...views.json },
    lines: [
      `ceremony ${ceremonyId}: 2^${power} powers of tau, ${beacon}`,
      lifeOf(ceremony),
      ...contributions.map(({ index, state }) =>
        index === 0
          ? `contribution of the beacon: file ${state.digest}`
          : `contribution of operator ${index}: file ${state.digest}`,
      ),
      ...(excluded === 0
        ? []
        : [`excluded for a wrong contribution: operators ${listed(indicesIn(BigInt(excluded)))}`]),
      ...fee.lines,
      ...views.lines,
    ],
  };
}

function lifeOf({ phase, deadline, slot, closesAt }: Ceremony): string {
  switch (phase) {
    case 'Contributing':
      return `${phase}: operator ${slot?.index} has its slot until ${instant(slot?.until ?? deadline)}`;
    case 'Closing':
      return `${phase}: wrong contributions can be shown until ${instant(closesAt ?? deadline)}`;
    case 'Beacon':
    case 'Final':
      return `${phase}; deadline ${instant(deadline)}`;
    case 'None':
    case 'Recorded':
    case 'Revoked':
    case 'Expired':
      return phase;
  }
}
