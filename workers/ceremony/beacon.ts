import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { CeremonyError, CeremonyErrorCode } from './errors.ts';
import { beaconBytes, maxIterationsExp, minIterationsExp, type Beacon } from './records.ts';

/** Iterations between which others get their turn: some 10 ms. */
const batch = 2 ** 14;

/**
 * SHA-256 applied 2^iterationsExp times: the seed of snarkjs' random stream.
 *
 * @throws CeremonyError BEACON_INVALID; the signal's reason
 */
export async function iterateBeacon(
  { hash: start, iterationsExp }: Beacon,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const known = iterationsExp >= minIterationsExp && iterationsExp <= maxIterationsExp;
  if (!known || !Number.isInteger(iterationsExp) || start.length !== beaconBytes) {
    throw new CeremonyError(CeremonyErrorCode.BEACON_INVALID, 'not the beacon of a ceremony', {
      metadata: { bytes: start.length, iterationsExp, minIterationsExp, maxIterationsExp },
    });
  }
  let value: Uint8Array = start;
  for (let done = 1; done <= 2 ** iterationsExp; done++) {
    value = hash('sha256', value, 'buffer');
    if (done % batch === 0) await setImmediate(undefined, { signal });
  }
  return value;
}
