import { sealContext } from '../../workers/fhe/context.ts';
import { seal, withSeal } from '../../workers/fhe/seal.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { medianOf, startCost } from './cost.ts';
import type { Cost } from './cost.ts';

/** Times that SEAL makes each kind of key, beside one that is not counted. */
const SEAL_RUNS = 5;

/**
 * What SEAL takes to make a full set of keys in memory.
 *
 * @returns medians for secret and public key, relinearization key, default Galois keys
 */
export function sealCosts(set: ParameterSet): Cost[] {
  const runs = Array.from({ length: 1 + SEAL_RUNS }, () =>
    withSeal((own) => {
      const stopPublicKey = startCost();
      const generator = own(new seal.KeyGenerator(sealContext(set).handle));
      own(generator.createPublicKey());
      const publicKey = stopPublicKey();
      const stopRelinearizationKey = startCost();
      own(generator.createRelinKeys());
      const relinearizationKey = stopRelinearizationKey();
      const stopGaloisKeys = startCost();
      own(generator.createGaloisKeys());
      return [publicKey, relinearizationKey, stopGaloisKeys()];
    }),
  ).slice(1);
  return runs[0].map((_, kind) => medianOf(runs.map((run) => run[kind])));
}
