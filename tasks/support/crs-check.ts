import { createHash } from 'node:crypto';
import { hexToBytes } from 'viem';

import { recordsOf } from '../../workers/ceremony/file.ts';
import { withoutLastRecord } from '../../workers/ceremony/records.ts';
import { initialState } from '../../workers/ceremony/state.ts';
import { verifyFile } from '../../workers/ceremony/verify.ts';
import { Curve } from '../../workers/curve/curve.ts';
import type { Ceremony, RecordedContribution } from './crs.ts';
import { ClientError, ClientErrorCode } from './errors.ts';

/** What a file turned out to be. */
export interface CheckedPowers {
  /** Whose file it is. */
  readonly contribution: RecordedContribution;
  /** Contributions up to this one, that of the beacon included. */
  readonly count: number;
}

/**
 * Checks a file as operators do before they sign, and that it is the one of a contribution on chain. The
 * proofs of knowledge are the contract's matter: it has recorded none without.
 *
 * @param file untrusted
 * @throws ClientError `RESULT_MISMATCH` if it is no file of this ceremony; CeremonyError with what is wrong
 */
export async function checkPowers(ceremony: Ceremony, file: Uint8Array): Promise<CheckedPowers> {
  const { ceremonyId, contributions, power, beacon, beaconIterationsExp } = ceremony;
  const digest = `0x${createHash('sha256').update(file).digest('hex')}`;
  const at = contributions.findIndex(({ state }) => state.digest === digest);
  if (at < 0)
    throw new ClientError(
      ClientErrorCode.RESULT_MISMATCH,
      'the file is none of the ceremony’s: no contribution on chain has its SHA-256',
      { advice: '`kms crs download` gets the right one.', metadata: { ceremonyId, digest } },
    );
  const contribution = contributions[at];
  const { state, index } = contribution;
  const curve = await Curve.start();
  try {
    const previous = {
      state: contributions[at - 1]?.state ?? initialState(power),
      records: withoutLastRecord(recordsOf(file, power)),
    };
    const due =
      index === 0 && beacon !== undefined
        ? { beacon: { hash: hexToBytes(beacon), iterationsExp: beaconIterationsExp } }
        : {};
    await verifyFile(curve, { bytes: file, state, ...due }, previous);
  } finally {
    await curve.close();
  }
  return { contribution, count: at + 1 };
}
