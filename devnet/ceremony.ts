import { keccak256, stringToHex, type Hex } from 'viem';

import { checkPowers } from '../tasks/support/crs-check.ts';
import { downloadPowers, finalContribution, requestCrs, waitForCrs } from '../tasks/support/crs.ts';
import type { Gateway } from '../tasks/support/gateway.ts';

const CEREMONY_TIMEOUT_MS = 300_000;

/** Small enough that everybody's contribution takes a second. */
const POWER = 10;
/** The local chain's clock runs fast; nobody is slow here, and the challenge window is as long. */
const SLOT_SECONDS = 30;
const BEACON_ITERATIONS_EXP = 10;

/** What a ceremony came to. */
export interface HeldCeremony {
  readonly ceremonyId: Hex;
  readonly power: number;
  /** Contributions, that of the beacon included. */
  readonly count: number;
  /** Length of the file. */
  readonly bytes: number;
}

/** Has a committee hold a small ceremony with a beacon, and checks what came of it as anybody can. */
export async function holdCeremony(
  gateway: Gateway,
  epochId: Hex,
  { onProgress }: { onProgress?: (text: string) => void },
): Promise<HeldCeremony> {
  const { ceremonyId } = await requestCrs(gateway, {
    ...{ epochId, power: POWER, slotSeconds: SLOT_SECONDS },
    ...{ beaconIterationsExp: BEACON_ITERATIONS_EXP, salt: keccak256(stringToHex('demo')) },
  });
  const ceremony = await waitForCrs(gateway, ceremonyId, {
    timeoutMs: CEREMONY_TIMEOUT_MS,
    onProgress: ({ text }) => onProgress?.(text),
  });
  onProgress?.('downloading the file and checking all powers and contributions');
  const file = await downloadPowers(gateway, ceremony, finalContribution(ceremony));
  const { count } = await checkPowers(ceremony, file);
  return { ceremonyId, power: POWER, count, bytes: file.length };
}
