import { decryptForUser } from '../../devnet/for-user.ts';
import { requireMatch, sampleSlots, type RoundTrip } from '../../devnet/round-trip.ts';
import { createUserKeys } from '../../sdk/index.ts';
import type { Values } from '../../workers/fhe/client.ts';
import { quantile, type Measurement } from './report.ts';

/** Numbers in one answer. */
const PACKED = 16;

/** One way to have something decrypted; resolves to the time from the request to the checked plaintext. */
type Way = (at: number) => Promise<number>;

/**
 * Decryptions for everybody and for one user, one at a time, in turns. Each is of fresh ciphertexts, and
 * each user has a key of its own: nothing has been computed before.
 */
export async function benchDecryptions(
  roundTrip: RoundTrip,
  n: number,
  requests: number,
): Promise<Measurement[]> {
  const { set } = roundTrip;
  const vector = (at: number): Values => ({ slots: sampleSlots(set, BigInt(at)) });
  const number = (at: number): Values => ({ scalar: BigInt(at) });
  const ways: Record<string, Way> = {
    'all coefficients': (at) => forEverybody(roundTrip, vector(at)),
    scalar: (at) => forEverybody(roundTrip, number(at)),
    'for a user, all coefficients': (at) => forUser(roundTrip, [vector(at)], false),
    'for a user, scalar': (at) => forUser(roundTrip, [number(at)], true),
    [`for a user, ${PACKED} scalars in one answer`]: (at) =>
      forUser(
        roundTrip,
        Array.from({ length: PACKED }, (_, item) => number(PACKED * at + item)),
        true,
      ),
  };
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let at = 0; at < requests; at++)
    for (const [name, way] of Object.entries(ways)) times.get(name)!.push(await way(at));

  return [...times].flatMap(([name, some]) => {
    const publicly = name.endsWith('all coefficients') ? 'all coefficients' : 'scalar';
    return [0.5, 0.95].map((part) => {
      const value = quantile(some, part);
      const line = {
        name: `devnet, n=${n}: ${name}, request to result, p${100 * part}`,
        unit: 'ms',
        value,
      };
      if (name === publicly) return line;
      const baseline = quantile(times.get(publicly)!, part);
      return { ...line, baseline, ratio: value / baseline };
    });
  });
}

async function forEverybody(roundTrip: RoundTrip, values: Values): Promise<number> {
  const outcome = await roundTrip.run(values);
  requireMatch(outcome);
  return outcome.decryptMs;
}

/** Everything after registration, the permit included. */
async function forUser(
  roundTrip: RoundTrip,
  ciphertexts: readonly Values[],
  packed: boolean,
): Promise<number> {
  const registered = [];
  for (const values of ciphertexts) registered.push(await roundTrip.register(values));
  const handles = registered.map(({ handle }) => handle);
  const keys = createUserKeys(roundTrip.set);
  const started = performance.now();
  const { requestId, plaintexts } = await decryptForUser(roundTrip, handles, { keys, packed });
  const decryptMs = performance.now() - started;
  plaintexts.forEach(({ coefficients, slots }, item) => {
    const values = ciphertexts[item];
    const [expected, decrypted] =
      'scalar' in values ? [[values.scalar], coefficients] : [values.slots, slots ?? []];
    requireMatch({ requestId, expected, decrypted, signers: [], decryptMs });
  });
  return decryptMs;
}
