import { parseCiphertext } from '../../workers/fhe/ciphertext.ts';
import { encrypt } from '../../workers/fhe/client.ts';
import { sealContext } from '../../workers/fhe/context.ts';
import { seal, withSeal } from '../../workers/fhe/seal.ts';
import * as publicDecryption from '../../workers/protocols/public-decryption.ts';
import { ntt } from '../../workers/ring/arithmetic.ts';
import { basisOf } from '../../workers/ring/basis.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { switchModulus } from '../../workers/ring/switching.ts';
import { commitShare } from '../../workers/sharing/commitment.ts';
import { sealSecretKey } from '../workers/fhe/support.ts';
import {
  decryptionShares,
  generateKey,
  secretOf,
  simulate,
} from '../workers/protocols/simulation.ts';
import { median } from './report.ts';
import type { Measurement } from './report.ts';

const rounds = { 4: 400, 13: 20 };
/** Runs of one side before it is the other's turn. */
const BLOCK = 10;

/**
 * What one operator computes for a public decryption under bfv-8192-b20, against SEAL decrypting
 * with the whole key at the first level; medians of blocks of runs that alternate with SEAL's.
 *
 * - `local work`: share and commitment, for a prepared ciphertext; without the signature.
 * - `level switch`: of c1, which `prepare` does once per ciphertext.
 * - `prepare`: once per ciphertext: parsing, level switch of both polynomials, canonical bytes and
 *   their digest.
 * - `describe`: ids of a request for a prepared ciphertext.
 * - `open and finish`: from 2t+1 honest shares to the result bytes.
 */
export function benchDecryption(): Measurement[] {
  const set = parameterSet('bfv-8192-b20');
  return [...benchCommittee(set, 4), ...benchCommittee(set, 13)];
}

function benchCommittee(set: ParameterSet, n: 4 | 13): Measurement[] {
  const simulation = simulate(n, { present: 2 * ((n - 1) / 3) + 1 });
  const { session } = simulation;
  const key = generateKey(simulation, set);
  const keyShare = key.keyShares.get(1)!;
  const randomness = simulation.randomness.get(1)!;
  const ciphertext = encrypt(set, key.publicKey, { slots: [1n, 2n, 3n] });
  const parsed = parseCiphertext(set, ciphertext);
  const input = publicDecryption.prepare(session.committee, set, ciphertext);
  const from = basisOf(set, parsed.limbs);
  const to = basisOf(set, input.limbs);
  const request = { keyId: key.keyId, generation: 0, set, ciphertexts: [input] };

  const whole = decryptionShares(simulation, key, ciphertext);
  const scalar = decryptionShares(simulation, key, ciphertext, [0]);
  const localWork = (opening: publicDecryption.PublicDecryption): void => {
    commitShare(publicDecryption.share(opening, keyShare, randomness));
  };
  const openAndFinish = ({ opening, shares }: typeof whole): void => {
    const { value } = publicDecryption.open(opening, shares);
    publicDecryption.finish(opening, value);
  };
  const work: Record<string, () => void> = {
    'all coefficients, local work': () => localWork(whole.opening),
    'all coefficients, open and finish': () => openAndFinish(whole),
    'scalar, local work': () => localWork(scalar.opening),
    'scalar, open and finish': () => openAndFinish(scalar),
    'level switch': () => switchModulus(from, to, parsed.c1),
    prepare: () => publicDecryption.prepare(session.committee, set, ciphertext),
    describe: () => publicDecryption.describe(session, { ...request, positions: [0] }),
  };

  return withSeal((own) => {
    const context = sealContext(set).handle;
    const secretKey = own(new seal.SecretKey());
    const secret = ntt(basisOf(set), secretOf(simulation, key));
    secretKey.loadFromArray(context, sealSecretKey(set, secret));
    const decryptor = own(new seal.Decryptor(context, secretKey));
    const object = own(new seal.Ciphertext());
    object.loadFromArray(context, ciphertext);
    const plaintext = own(new seal.Plaintext());
    const baseline = (): void => decryptor.decrypt(object, plaintext);
    return Object.entries(work).map(([name, step]) => {
      const medians = alternate(rounds[n], step, baseline);
      const [value, reference] = medians;
      const unit = 'ms';
      const label = `decryption, n=${n}: ${name}`;
      return { name: label, unit, value, baseline: reference, ratio: value / reference };
    });
  });
}

/**
 * Medians in milliseconds of two functions that take turns in blocks of a few runs, so that each finds
 * its own data in the caches as often as the other. The first blocks, half as many, are not counted:
 * an operator runs for months, so what counts is compiled code.
 */
function alternate(count: number, first: () => void, second: () => void): [number, number] {
  const times: [number[], number[]] = [[], []];
  const blocks = count / BLOCK;
  for (let block = -Math.ceil(blocks / 2); block < blocks; block++) {
    [first, second].forEach((step, at) => {
      for (let run = 0; run < BLOCK; run++) {
        const started = performance.now();
        step();
        if (block >= 0) times[at].push(performance.now() - started);
      }
    });
  }
  return [median(times[0]), median(times[1])];
}
