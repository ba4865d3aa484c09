import { createHash } from 'node:crypto';
import { firstLimbs, serializeCiphertext } from '../../../workers/fhe/ciphertext.ts';
import { entryStart, relinearizationKeys } from '../../../workers/fhe/evaluation-keys.ts';
import { parsePublicKey, serializePublicKey } from '../../../workers/fhe/keys.ts';
import { decryptionPlan } from '../../../workers/fhe/noise.ts';
import { modulusOf } from '../../../workers/fhe/noise-growth.ts';
import { encryptForProof, encryptWithWitness } from '../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../workers/proofs/key.ts';
import { binomial, ternary } from '../../../workers/proofs/sampling.ts';
import { add, intt, multiply, negate, ntt } from '../../../workers/ring/arithmetic.ts';
import { basisOf, type RnsVector } from '../../../workers/ring/basis.ts';
import { lift } from '../../../workers/ring/lifting.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { switchModulus } from '../../../workers/ring/switching.ts';
import { uniformPolynomial } from '../../../workers/ring/uniform.ts';
import type { Committee } from '../../../workers/sharing/committee.ts';
import { compute, gathered } from '../fhe/evaluation.ts';
import { noiseBudget, residuesOf, sealSecretKey } from '../fhe/support.ts';
import { isBelow } from './budgets.ts';
import { plaintextOf, seededSource } from './support.ts';

// How much noise ciphertexts typically have: random ones, under a random key of a committee, squared by
// SEAL and relinearized again and again. Everything is drawn from fixed seeds.

/** How a ciphertext was made that is squared: by SEAL's Encryptor, or for one of the proofs. */
type MadeBy = 'seal' | 'lattice' | 'kzg';

/** What is measured of a parameter set with a committee. */
export async function allMeasured(
  set: ParameterSet,
  committee: Committee,
): Promise<Partial<Record<MadeBy, number[]>>> {
  const keys = await committeeKeys(set, committee);
  const measured = async (made: MadeBy) => measuredBudgets(set, committee, made, keys);
  return {
    seal: await measured('seal'),
    // Nothing modulo an even t can be halved.
    ...(set.plainModulus % 2n === 1n && { lattice: await measured('lattice') }),
    kzg: await measured('kzg'),
  };
}

/**
 * SEAL's invariant noise budget of a fresh ciphertext, and after each squaring until there is more noise
 * than the committee decrypts.
 */
async function measuredBudgets(
  set: ParameterSet,
  committee: Committee,
  made: MadeBy,
  keys: CommitteeKeys,
): Promise<number[]> {
  const { secretKey, relinearization } = keys;
  const { maxNoiseBits } = decryptionPlan(set, committee);
  const budgets: number[] = [];
  let ciphertext = await encryptionOf(set, made, keys.publicKey);
  for (;;) {
    const budget = noiseBudget(set, secretKey, ciphertext);
    budgets.push(budget);
    if (!isBelow(set, budget, maxNoiseBits)) return budgets;
    const tools = { relinearization };
    ({ ciphertext } = compute(set, tools, ({ evaluator, relinearization: key, load }) => {
      const square = load(ciphertext);
      evaluator.squareInplace(square);
      evaluator.relinearizeInplace(square, key);
      return { ciphertext: square };
    }));
  }
}

interface CommitteeKeys {
  /** SEAL's objects. */
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly relinearization: Uint8Array;
}

/** Keys distributed as a committee's: s and all errors are sums of one polynomial per set. */
async function committeeKeys(set: ParameterSet, committee: Committee): Promise<CommitteeKeys> {
  const { degree, primes } = set;
  const basis = basisOf(set);
  const source = seededSource(`depths/${set.name}/${committee.n}`);
  const sum = (kind: typeof ternary): RnsVector => {
    const total = new Float64Array(degree);
    for (let i = 0; i < committee.sets.length; i++) {
      kind(degree, source).forEach((x, at) => (total[at] += x));
    }
    return ntt(basis, lift(primes, total));
  };
  const encrypted = (secret: RnsVector, message: RnsVector): Uint8Array => {
    const seed = createHash('sha256').update(source(32)).digest();
    const a = uniformPolynomial(basis, new Uint8Array(seed));
    return serializePublicKey(
      set,
      add(basis, negate(basis, multiply(basis, a, secret)), message),
      a,
    );
  };
  const s = sum(ternary);
  const squared = multiply(basis, s, s);
  const u = sum(ternary);
  const special = primes.at(-1)!;
  const digits = primes.slice(0, -1).map((prime, limb) => {
    const [e0, e1, e2] = [sum(binomial), sum(binomial), sum(binomial)];
    const error = add(basis, add(basis, multiply(basis, s, e0), multiply(basis, u, e1)), e2);
    const message = new BigUint64Array(error.length);
    const [from, to] = [limb * degree, (limb + 1) * degree];
    message.set(
      squared.slice(from, to).map((x) => (x * special) % prime),
      from,
    );
    return encrypted(s, add(basis, error, message));
  });
  return {
    publicKey: encrypted(s, sum(binomial)),
    secretKey: sealSecretKey(set, s),
    relinearization: await gathered(relinearizationKeys(set, [entryStart(set), ...digits])),
  };
}

async function encryptionOf(
  set: ParameterSet,
  made: MadeBy,
  publicKey: Uint8Array,
): Promise<Uint8Array> {
  const key = await encryptionKey(set, publicKey);
  const source = seededSource(`depths/${set.name}/${made}`);
  const plaintext = plaintextOf(set, 'depths');
  switch (made) {
    case 'lattice':
      return encryptForProof(key, plaintext, source).registered;
    case 'kzg':
      return serializeCiphertext(set, encryptWithWitness(key, plaintext, source).ciphertext);
    case 'seal':
      return asSealEncrypts(set, publicKey, plaintext, source);
  }
}

/** SEAL's encryption, whose own randomness cannot be seeded: over all primes, the special one divided out. */
function asSealEncrypts(
  set: ParameterSet,
  publicKey: Uint8Array,
  plaintext: BigUint64Array,
  source: (length: number) => Uint8Array,
): Uint8Array {
  const { degree, primes, plainModulus: t } = set;
  const limbs = firstLimbs(set);
  const [all, data] = [basisOf(set), basisOf(set, limbs)];
  const { a, b } = parsePublicKey(set, publicKey);
  const u = ntt(all, lift(primes, ternary(degree, source)));
  const [c0, c1] = [b, a].map((half) => {
    const masked = intt(all, multiply(all, u, half));
    return switchModulus(all, data, add(all, masked, lift(primes, binomial(degree, source))));
  });
  const q = modulusOf(set, limbs);
  const scaled = residuesOf(
    set,
    limbs,
    Array.from(plaintext, (m) => (2n * q * m + t) / (2n * t)),
  );
  return serializeCiphertext(set, { limbs, c0: add(data, c0, scaled), c1 });
}
