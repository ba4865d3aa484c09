import type { Hex } from 'viem';

import { keyManagerAbi } from '../../workers/chain/abi.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { FheErrorCode } from '../../workers/fhe/errors.ts';
import { committeeSizes } from '../../workers/fhe/figures.ts';
import { decryptionPlan } from '../../workers/fhe/noise.ts';
import { parameterSets, type ParameterSet } from '../../workers/ring/parameters.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { parameterSetId } from '../../workers/sharing/ids.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';
import { send } from './transactions.ts';

type Four<T> = readonly [T, T, T, T];

/** A parameter set in the form in which KeyManager records it. */
export interface RecordedParameterSet {
  name: string;
  degree: number;
  plainModulus: bigint;
  primes: readonly bigint[];
  decryptionLimbs: Four<number>;
  floodBits: Four<number>;
  maxNoiseBits: Four<number>;
  lambda: number;
}

/** What is to be recorded for a set; zeros for committees that it cannot serve safely. */
export function recordOf(set: ParameterSet): RecordedParameterSet {
  const plans = committeeSizes.map((n) => {
    try {
      const { limbs, floodBits, maxNoiseBits } = decryptionPlan(set, committeeOf(n));
      return { limbs, floodBits, maxNoiseBits };
    } catch (cause) {
      if (isKeyloomError(cause, FheErrorCode.NOISE_NEVER_FITS))
        return { limbs: 0, floodBits: 0, maxNoiseBits: 0 };
      throw cause;
    }
  }) as unknown as Four<{ limbs: number; floodBits: number; maxNoiseBits: number }>;
  const { name, degree, plainModulus, primes, lambda } = set;
  return {
    name,
    degree,
    plainModulus,
    primes,
    lambda,
    decryptionLimbs: four(plans, ({ limbs }) => limbs),
    floodBits: four(plans, ({ floodBits }) => floodBits),
    maxNoiseBits: four(plans, ({ maxNoiseBits }) => maxNoiseBits),
  };
}

/** Records a parameter set with its decryption plan for all four committees. Governance. */
export async function addParameterSet(gateway: Gateway, set: ParameterSet): Promise<Hex> {
  await send(
    gateway,
    {
      address: gateway.addresses.keyManager,
      abi: keyManagerAbi,
      functionName: 'addParameterSet',
      args: [recordOf(set)],
    },
    ({ errorName }) =>
      errorName === 'KeyManagerParameterSetExists'
        ? new ClientError(
            ClientErrorCode.PARAMETER_SET_REFUSED,
            `parameter set ${set.name} has been added before`,
            { metadata: { set: set.name } },
          )
        : undefined,
  );
  return parameterSetId(set);
}

/** The parameter sets on chain, oldest first. */
export async function listParameterSets(
  gateway: Gateway,
): Promise<(RecordedParameterSet & { id: Hex })[]> {
  const events = await eventsOf(gateway, {
    address: gateway.addresses.keyManager,
    abi: keyManagerAbi,
    eventName: 'ParameterSetAdded',
  });
  return events.map(({ args }) => ({ ...args.set, id: args.parameterSetId }));
}

/**
 * The parameter set this id stands for. The id is a hash of all parameters, so a set that only
 * carries a known name is not found.
 * @throws ClientError `PARAMETER_SET_REFUSED`
 */
export function parameterSetById(id: Hex): ParameterSet {
  const found = parameterSets.find((set) => parameterSetId(set) === id);
  if (found !== undefined) return found;
  throw new ClientError(
    ClientErrorCode.PARAMETER_SET_REFUSED,
    `this client has no parameter set ${id}`,
    { advice: 'Update Keyloom, or choose a key of another set.', metadata: { id } },
  );
}

function four<T, R>(values: Four<T>, select: (value: T) => R): Four<R> {
  const [a, b, c, d] = values;
  return [select(a), select(b), select(c), select(d)];
}
