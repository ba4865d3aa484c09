import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { encryptWithWitness, type Witness } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { prepare } from '../../../../workers/proofs/lattice/statement.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { centred } from '../../fhe/support.ts';
import {
  decrypt,
  generateKey,
  secretOf,
  simulate,
  type SimulatedKey,
} from '../../protocols/simulation.ts';
import { ciphertextBytes, context, integersOf, seededSource } from '../support.ts';
import { forge } from './forging.ts';

// A committee that decrypts whatever it is given, and a verifier that is asked first.

export const set = parameterSet('insecure-bfv-1024-b17');
export const { degree, plainModulus: t, primes } = set;
export const limbs = primes.length - 1;
export const q = primes.slice(0, limbs).reduce((product, prime) => product * prime, 1n);
export const simulation = simulate(4);
export const { committee } = simulation.session;
export const key = generateKey(simulation, set);
export const secret = coefficientsOf(key);
export const zeros = new Array<bigint>(degree).fill(0n);
export const none = new Int8Array(degree);
export const encryption = await encryptionKey(set, key.publicKey);

/** A key as the attacks should find it. Each coefficient is a sum of one ternary per set. */
export function coefficientsOf(of: SimulatedKey): bigint[] {
  return centred(set, 1, secretOf(simulation, of).slice(0, degree));
}

/** Plaintext coefficients of a public decryption, from -t/2 on. */
export function decrypted(bytes: Uint8Array, of = key): bigint[] {
  const { coefficients } = decrypt(simulation, of, bytes);
  return Array.from(coefficients, (m) => (2n * m > t ? m - t : m));
}

/** How many coefficients of the key are right. */
export const hits = (found: readonly (bigint | undefined)[]): number =>
  found.filter((x, i) => x === secret[i]).length;

/** An encryption of 0 with something added to c1. */
export function disguised(
  seed: string,
  added: readonly bigint[],
  to = encryption,
): { bytes: Uint8Array; witness: Witness } {
  const source = seededSource(`attacks/${seed}`);
  const { ciphertext, witness } = encryptWithWitness(to, new BigUint64Array(degree), source);
  const { c0, c1 } = integersOf(set, serializeCiphertext(set, ciphertext));
  const bytes = ciphertextBytes(
    set,
    c0,
    c1.map((x, i) => x + added[i]),
  );
  return { bytes, witness };
}

/** What the verifier says to a prover that knows u, guesses in all ways, and checks nothing. */
export async function outcomes(registered: Uint8Array, u: Witness['u']): Promise<Set<unknown>> {
  const statement = { key: encryption, registered, context };
  const prepared = await prepare(statement);
  const { repetitions } = prepared.parameters;
  const guesses = [undefined, ...[0, 1, degree].map((e) => new Array<number>(repetitions).fill(e))];
  const seen = new Set<unknown>();
  for (const secretU of [u, none]) {
    for (const [at, guess] of guesses.entries()) {
      for (let i = 0; i < 3; i++) {
        const source = seededSource(`attacks/forging/${at}/${i}`);
        const proof = await forge(prepared, secretU, guess, source);
        seen.add(
          await verify(statement, proof).then(
            () => 'accepted',
            (error: { code: unknown }) => error.code,
          ),
        );
      }
    }
  }
  return seen;
}

/** What the verifier says to all of them if there is no proof. */
export const refused = new Set([ProofErrorCode.DIGEST_MISMATCH]);
