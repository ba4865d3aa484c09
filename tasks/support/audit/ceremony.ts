import type { Hex } from 'viem';

import { CeremonyError } from '../../../workers/ceremony/errors.ts';
import { checkPowers } from '../crs-check.ts';
import { ceremonyOf, downloadPowers, latestContribution } from '../crs.ts';
import type { Gateway } from '../gateway.ts';
import { AuditError, AuditErrorCode } from './errors.ts';
import type { AuditItem } from './items.ts';

const HASH_BYTES = 32;

/** The string that a ceremony came to: there are no shares to replay, but everything in it can be checked. */
export function ceremonyItem(gateway: Gateway, ceremonyId: Hex): AuditItem {
  return {
    what: 'powers of tau',
    length: HASH_BYTES,
    parts: 0,
    async replay() {
      const ceremony = await ceremonyOf(gateway, ceremonyId);
      const file = await downloadPowers(gateway, ceremony, latestContribution(ceremony));
      try {
        return (await checkPowers(ceremony, file)).contribution.stateHash;
      } catch (cause) {
        if (!(cause instanceof CeremonyError)) throw cause;
        throw new AuditError(
          AuditErrorCode.RESULT_DIFFERS,
          `the powers of tau are wrong (${cause.code}): ${cause.message}`,
          { metadata: { code: cause.code }, cause },
        );
      }
    },
  };
}
