import type { ContextData, SEALContext } from 'node-seal';
import type { ParameterSet } from '../ring/parameters.ts';
import { FheError, FheErrorCode } from './errors.ts';
import { seal, withSeal } from './seal.ts';

/** SEAL's view of a parameter set. */
export interface SealContext {
  readonly set: ParameterSet;
  /** Owned by the cache: never delete it. */
  readonly handle: SEALContext;
  /**
   * The 32-byte parms_id of each level, indexed by its number of limbs minus one. The last is the
   * key level (all primes), the one before it the first data level.
   */
  readonly parmsIds: readonly Uint8Array[];
}

const contexts = new WeakMap<ParameterSet, SealContext>();

/**
 * The SEAL context of a parameter set, made at the first call and kept for the life of the set.
 *
 * @throws FheError SEAL_PARAMETERS_MISMATCH if SEAL refuses the set (a secure one must keep SEAL's
 * bound for 128 bits), or reads other primes, another plain modulus, other levels or another answer to
 * whether it batches out of it
 */
export function sealContext(set: ParameterSet): SealContext {
  let context = contexts.get(set);
  if (context === undefined) {
    const handle = createHandle(set);
    try {
      context = Object.freeze({ set, handle, parmsIds: checkedParmsIds(set, handle) });
    } catch (error) {
      handle.delete();
      throw error;
    }
    contexts.set(set, context);
  }
  return context;
}

function createHandle(set: ParameterSet): SEALContext {
  return withSeal((own) => {
    const parameters = own(new seal.EncryptionParameters(seal.SchemeType.bfv));
    const primes = own(new seal.VectorModulus());
    for (const prime of set.primes) primes.push_back(own(new seal.Modulus(prime)));
    parameters.setPolyModulusDegree(set.degree);
    parameters.setCoeffModulus(primes);
    parameters.setPlainModulus(own(new seal.Modulus(set.plainModulus)));
    const level = set.secure ? seal.SecLevelType.tc128 : seal.SecLevelType.none;
    return new seal.SEALContext(parameters, true, level);
  });
}

/** Walks the levels from the key level down and compares each with the set's primes. */
function checkedParmsIds(set: ParameterSet, handle: SEALContext): Uint8Array[] {
  return withSeal((own) => {
    if (!handle.parametersSet()) throw mismatch(set, 'refused');
    const parmsIds: Uint8Array[] = [];
    let data: ContextData = own(handle.keyContextData());
    if (data.chainIndex() !== set.primes.length - 1) throw mismatch(set, 'levels');
    if (own(data.qualifiers()).usingBatching !== set.batching) throw mismatch(set, 'batching');
    for (let limbs = set.primes.length; limbs >= 1; limbs--) {
      const parameters = own(data.parms());
      const primes = own(parameters.coeffModulus());
      const samePrimes =
        primes.size() === limbs &&
        set.primes.slice(0, limbs).every((prime, limb) => own(primes.get(limb)!).value() === prime);
      if (!samePrimes) throw mismatch(set, 'primes');
      if (own(parameters.plainModulus()).value() !== set.plainModulus) {
        throw mismatch(set, 'plainModulus');
      }
      const words = own(data.parmsId()).values() as BigUint64Array;
      parmsIds.unshift(new Uint8Array(words.slice().buffer));
      if (limbs > 1) data = own(data.nextContextData());
    }
    return parmsIds;
  });
}

function mismatch(set: ParameterSet, what: string): FheError {
  return new FheError(
    FheErrorCode.SEAL_PARAMETERS_MISMATCH,
    'SEAL does not read the parameter set as it is written',
    { metadata: { set: set.name, what } },
  );
}
