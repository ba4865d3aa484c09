import { fetchRequestView } from '../../tasks/support/operators.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { makeKey, withCommittee, type LoadedCommittee } from '../load/committee.ts';
import { decryptScalars, type Answered } from '../load/decryptions.ts';
import { startProfile, stopProfile } from '../load/probed.ts';
import { shareOfTime } from '../load/profile.ts';
import { HANDLES_PER_REQUEST, listsOf, registerScalars } from '../load/scalars.ts';
import { mean, spending, totalOf, type Spent } from '../load/spent.ts';
import { quantile, type Measurement } from './report.ts';

const OPERATORS = 4;
const CIPHERTEXTS = 32;
/** Requests before anything is measured: an operator runs for months, so what counts is compiled code. */
const WARM_UP = 24;
const REQUESTS = 48;
const AT_ONCE = 16;
const ALONE = 12;
const CORES = 2;

/** Steps of a request, by the states in which they end. */
const steps = ['agreeing', 'opening', 'certifying', 'submitting'] as const;

/**
 * Numbers decrypted for everybody, sixteen to a request, by operators that are processes of their own; the
 * chain and the client are on the same machine. Registrations are measured by themselves: when a decryption
 * is asked for, each operator has verified its inputs.
 *
 * Wall time depends on what else the machine does. `on ${CORES} idle cores` is what the processor time of all
 * processes together, chain and client included, leaves room for.
 */
export async function benchThroughput(setName: string): Promise<Measurement[]> {
  return withCommittee(OPERATORS, async (committee) => {
    const { gateway, epoch, operators } = committee;
    const key = await makeKey(committee, parameterSet(setName));
    const registered = await spending(committee, () =>
      registerScalars(gateway, epoch, key, CIPHERTEXTS),
    );
    const scalars = registered.value;
    const decrypt = (requests: number, atOnce: number, seed: number): Promise<Answered[]> =>
      decryptScalars(gateway, epoch, listsOf(scalars, requests, seed), atOnce);

    await decrypt(WARM_UP, AT_ONCE, 0);
    const many = await spending(committee, () => decrypt(REQUESTS, AT_ONCE, 1));
    const alone = await spending(committee, () => decrypt(ALONE, 1, 2));
    const single = await spending(committee, () =>
      decryptScalars(
        gateway,
        epoch,
        listsOf(scalars, ALONE, 3).map((list) => list.slice(0, 1)),
        1,
      ),
    );
    await startProfile(operators[0]);
    const profiled = await spending(committee, () => decrypt(REQUESTS, AT_ONCE, 4));
    const profile = await stopProfile(operators[0]);

    const name = `load, n=${OPERATORS}, ${setName}:`;
    const scalarsOf = (requests: number): number => requests * HANDLES_PER_REQUEST;
    const inTime = profiled.spent.mainThreads[0] / scalarsOf(REQUESTS);
    return [
      ...lines(`${name} registration`, registered.spent, CIPHERTEXTS),
      ...lines(`${name} scalar, ${AT_ONCE} requests of 16`, many.spent, scalarsOf(REQUESTS)),
      ...latencies(`${name} ${AT_ONCE} requests of 16 at once`, many.value),
      ...(await stepTimes(`${name} ${AT_ONCE} requests of 16 at once`, committee, many.value)),
      ...lines(`${name} scalar, one request of 16`, alone.spent, scalarsOf(ALONE)),
      ...latencies(`${name} one request of 16 at a time`, alone.value),
      ...(await stepTimes(`${name} one request of 16 at a time`, committee, alone.value)),
      ...lines(`${name} scalar, one request of 1`, single.spent, ALONE),
      ...shareOfTime(profile).map(([what, share]) => ({
        ...{ name: `${name} main thread of an operator: ${what}`, unit: 'ms per scalar' },
        ...{ value: share * inTime, baseline: inTime, ratio: share },
      })),
    ];
  });
}

function lines(name: string, spent: Spent, units: number): Measurement[] {
  const perUnit = (what: string, ms: number): Measurement => {
    const baseline = totalOf(spent) / units;
    const value = ms / units;
    return { name: `${name}: CPU, ${what}`, unit: 'ms', value, baseline, ratio: value / baseline };
  };
  return [
    { name: `${name}: wall`, unit: 'per s', value: (1e3 * units) / spent.wallMs },
    {
      name: `${name}: on ${CORES} idle cores`,
      unit: 'per s',
      value: (1e3 * CORES * units) / totalOf(spent),
    },
    perUnit('an operator', mean(spent.operators)),
    perUnit('an operator’s main thread', mean(spent.mainThreads)),
    perUnit('chain', spent.chain),
    perUnit('client', spent.client),
  ];
}

const latencies = (name: string, answered: readonly Answered[]): Measurement[] =>
  [0.5, 0.99].map((part) => ({
    name: `${name}: request to result, p${100 * part}`,
    unit: 'ms',
    value: quantile(
      answered.map(({ ms }) => ms),
      part,
    ),
  }));

/** Wall time of each step at an operator, the mean over operators and requests that it took part in. */
async function stepTimes(
  name: string,
  { operators }: LoadedCommittee,
  answered: readonly Answered[],
): Promise<Measurement[]> {
  const times = new Map<string, number[]>(steps.map((step) => [step, []]));
  for (const { endpoint } of operators)
    for (const { id } of answered) {
      const ends = (await fetchRequestView(endpoint, id))?.milliseconds ?? {};
      let begun = 0;
      for (const step of steps) {
        const end = ends[step];
        if (end === undefined) break;
        times.get(step)!.push(end - begun);
        begun = end;
      }
    }
  return [...times]
    .filter(([, some]) => some.length > 0)
    .map(([step, some]) => ({ name: `${name}: ${step}`, unit: 'ms', value: mean(some) }));
}
