import { parseArgs } from 'node:util';

import { DevnetError, DevnetErrorCode } from '../../devnet/errors.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { planOf, type Plan } from './schedule.ts';

export const USAGE = `Usage: npm run chaos -- [options]

  --seed N        of the schedule; the same seed, minutes and operators give the same one (1)
  --minutes M     how long; a round that has begun is gone through, and there is always one (10)
  --operators n   4, 7, 10 or 13 (4)
  --json FILE     writes the report there (docs/chaos.md, Report)
  --plan          prints the schedule as JSON and runs nothing
  --help          prints this

Exit code 0: nothing was wrong, lost or signed twice, and service went on where it had to. 1: something was.
130: it was interrupted before that could be known. 2: an option makes no sense.
`;

export interface ChaosOptions {
  readonly plan: Plan;
  readonly json: string | undefined;
  readonly isOnlyPrinted: boolean;
}

/** @returns undefined where only help is wanted. @throws DevnetError BAD_OPTION */
export function readOptions(args: readonly string[]): ChaosOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string', default: '1' },
        minutes: { type: 'string', default: '10' },
        operators: { type: 'string', default: '4' },
        json: { type: 'string' },
        plan: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return undefined;
    const [seed, minutes] = [Number(values.seed), Number(values.minutes)];
    const { n } = committeeOf(Number(values.operators));
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
      throw new RangeError('--seed must be an integer from 0 to 4294967295');
    if (!(minutes > 0 && minutes <= 1_440))
      throw new RangeError('--minutes must be above 0 and at most 1440');
    const plan = planOf({ seed, minutes, n });
    return { plan, json: values.json, isOnlyPrinted: values.plan };
  } catch (cause) {
    throw new DevnetError(DevnetErrorCode.BAD_OPTION, `${(cause as Error).message}\n${USAGE}`, {
      cause,
    });
  }
}
