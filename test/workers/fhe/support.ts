import type { Values } from '../../../workers/fhe/client.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import type { Own } from '../../../workers/fhe/seal.ts';
import { intt, negacyclicMultiplyAdd } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';

// What a test compares with: stock SEAL with a key of its own, and exact integers.

/** Start of the values of a SecretKey object. */
const secretValuesAt = 88;
/** Start of the values of a Ciphertext object. */
const ciphertextValuesAt = 113;

/** Bytes of a fresh SEAL key pair. */
export function sealKeys(set: ParameterSet): { publicKey: Uint8Array; secretKey: Uint8Array } {
  return withSeal((own) => {
    const generator = own(new seal.KeyGenerator(sealContext(set).handle));
    return {
      publicKey: savedBytes(own(generator.createPublicKey())),
      secretKey: savedBytes(own(generator.secretKey())),
    };
  });
}

/** Values that fill what a plaintext of the set holds: all slots, or the scalar. */
export function sampleValues(set: ParameterSet): Values {
  const t = set.plainModulus;
  if (!set.batching) return { scalar: t - 3n };
  return { slots: Array.from({ length: set.degree }, (_, at) => BigInt(at * at) % t) };
}

/** The values of a SecretKey object: NTT form over all primes. */
export function secretNtt(secretKey: Uint8Array): RnsVector {
  return new BigUint64Array(secretKey.slice(secretValuesAt).buffer);
}

/** SecretKey bytes for a secret of our own, made from a SEAL key's by replacing the values. */
export function sealSecretKey(set: ParameterSet, ntt: RnsVector): Uint8Array {
  const bytes = sealKeys(set).secretKey;
  bytes.set(new Uint8Array(ntt.buffer, ntt.byteOffset, ntt.byteLength), secretValuesAt);
  return bytes;
}

/** Coefficients that SEAL's own Decryptor finds, all N of them. */
export function sealDecrypt(
  set: ParameterSet,
  secretKey: Uint8Array,
  ciphertext: Uint8Array,
): BigUint64Array {
  return withSeal((own) => {
    const plaintext = own(new seal.Plaintext());
    decryptor(set, secretKey, own).decrypt(loadCiphertext(set, ciphertext, own), plaintext);
    plaintext.resize(set.degree);
    return new BigUint64Array(savedBytes(plaintext).slice(secretValuesAt).buffer);
  });
}

/** Invariant noise budget in bits. */
export function noiseBudget(
  set: ParameterSet,
  secretKey: Uint8Array,
  ciphertext: Uint8Array,
): number {
  return withSeal((own) =>
    decryptor(set, secretKey, own).invariantNoiseBudget(loadCiphertext(set, ciphertext, own)),
  );
}

/** A ciphertext that SEAL has switched down to the given number of limbs. */
export function sealSwitch(set: ParameterSet, ciphertext: Uint8Array, limbs: number): Uint8Array {
  return withSeal((own) => {
    const context = sealContext(set).handle;
    const object = loadCiphertext(set, ciphertext, own);
    const evaluator = own(new seal.Evaluator(context));
    while (object.coeffModulusSize() > limbs) evaluator.cipherModSwitchToNextInplace(object);
    return savedBytes(object);
  });
}

export function loadCiphertext(set: ParameterSet, bytes: Uint8Array, own: Own) {
  const ciphertext = own(new seal.Ciphertext());
  ciphertext.loadFromArray(sealContext(set).handle, bytes);
  return ciphertext;
}

/** Residues modulo the first `limbs` primes of one integer per coefficient. */
export function residuesOf(
  set: ParameterSet,
  limbs: number,
  integers: readonly bigint[],
): RnsVector {
  const residues = set.primes
    .slice(0, limbs)
    .flatMap((prime) => integers.map((integer) => ((integer % prime) + prime) % prime));
  return BigUint64Array.from(residues);
}

/** The polynomial with one integer at every coefficient. */
export function constant(set: ParameterSet, limbs: number, integer: bigint): RnsVector {
  return residuesOf(set, limbs, new Array<bigint>(set.degree).fill(integer));
}

/** Σ polynomial_i·s^i in (-q/2, q/2): what a ciphertext of any size decrypts to before scaling. */
export function phase(
  set: ParameterSet,
  limbs: number,
  polynomials: readonly RnsVector[],
  secretNtt: RnsVector,
): bigint[] {
  const basis = basisOf(set, limbs);
  const sum = polynomials.reduceRight((high, low) =>
    negacyclicMultiplyAdd(basis, high, secretNtt, low),
  );
  return centred(set, limbs, sum);
}

/** The polynomials of a Ciphertext object of any size. */
export function polynomialsOf(set: ParameterSet, limbs: number, bytes: Uint8Array): RnsVector[] {
  const residues = new BigUint64Array(bytes.slice(ciphertextValuesAt).buffer);
  const length = limbs * set.degree;
  return Array.from({ length: residues.length / length }, (_, i) =>
    residues.slice(i * length, (i + 1) * length),
  );
}

/** The integers in (-q/2, q/2) behind residues modulo the first `limbs` primes. */
export function centred(set: ParameterSet, limbs: number, vector: RnsVector): bigint[] {
  const primes = set.primes.slice(0, limbs);
  const modulus = primes.reduce((product, prime) => product * prime, 1n);
  const weights = primes.map((prime) => {
    const rest = modulus / prime;
    return rest * power(rest % prime, prime - 2n, prime);
  });
  const width = vector.length / limbs;
  return Array.from({ length: width }, (_, at) => {
    const sum = weights.reduce((s, weight, limb) => s + weight * vector[limb * width + at], 0n);
    const value = sum % modulus;
    return 2n * value > modulus ? value - modulus : value;
  });
}

/** A secret in NTT form over all primes as small integers. */
export function smallSecret(set: ParameterSet, ntt: RnsVector): bigint[] {
  const basis = basisOf(set, 1);
  return centred(set, 1, intt(basis, ntt.slice(0, set.degree)));
}

/** Largest absolute value. */
export function infinityNorm(values: readonly bigint[]): bigint {
  return values.reduce((norm, value) => {
    const absolute = value < 0n ? -value : value;
    return absolute > norm ? absolute : norm;
  }, 0n);
}

function decryptor(set: ParameterSet, secretKey: Uint8Array, own: Own) {
  const context = sealContext(set).handle;
  const key = own(new seal.SecretKey());
  key.loadFromArray(context, secretKey);
  return own(new seal.Decryptor(context, key));
}

function power(base: bigint, exponent: bigint, prime: bigint): bigint {
  let result = 1n;
  for (let [b, e] = [base, exponent]; e > 0n; e >>= 1n, b = (b * b) % prime) {
    if (e & 1n) result = (result * b) % prime;
  }
  return result;
}
