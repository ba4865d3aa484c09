import { createHash } from 'node:crypto';
import {
  firstLimbs,
  parseCiphertext,
  serializeCiphertext,
} from '../../../workers/fhe/ciphertext.ts';
import {
  ciphertextOf,
  encryptForProof,
  type ProvableEncryption,
  type Witness,
} from '../../../workers/proofs/encryption.ts';
import { encryptionKey, type EncryptionKey } from '../../../workers/proofs/key.ts';
import type { ProofContext, Statement } from '../../../workers/proofs/lattice/statement.ts';
import type { RandomBytes } from '../../../workers/proofs/randomness.ts';
import { add, multiply, negate, ntt } from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import { serializePublicKey } from '../../../workers/fhe/keys.ts';
import { lift } from '../../../workers/ring/lifting.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { binomial, ternary } from '../../../workers/proofs/sampling.ts';
import { centred } from '../fhe/support.ts';
import { seededBytes } from '../kernels/reference.ts';

/** Small enough for the slow reference; its primes have other lengths, as those of N = 8192. */
export const tinySet: ParameterSet = {
  name: 'insecure-proof-256',
  scheme: 'bfv',
  degree: 256,
  primes: [8796092858369n, 17592186028033n, 17592185438209n],
  plainModulus: 7681n,
  batching: true,
  secure: false,
  lambda: 64,
};

export const context: ProofContext = {
  chainId: 31337n,
  contract: '0x00000000000000000000000000000000000000c1',
  user: '0x00000000000000000000000000000000000000b0',
};

/** A source that draws from a named stream, the n-th time from its part n. */
export function seededSource(name: string): RandomBytes & { draws: number } {
  const source = (length: number): Uint8Array => seededBytes(`${name}/${source.draws++}`, length);
  source.draws = 0;
  return source;
}

/** A key pair of fixed seed: SEAL's PublicKey object, and the secret in NTT form over all primes. */
export function seededKeys(set: ParameterSet, name: string) {
  const basis = basisOf(set);
  const source = seededSource(name);
  const s = ternary(set.degree, source);
  const e = binomial(set.degree, source);
  const secret = ntt(basis, lift(set.primes, s));
  const a = basis.primes.flatMap((prime, l) => {
    const bytes = seededBytes(`${name}/a/${l}`, 16 * set.degree);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Array.from({ length: set.degree }, (_, i) => view.getBigUint64(16 * i, true) % prime);
  });
  const uniform = BigUint64Array.from(a);
  const b = add(
    basis,
    negate(basis, multiply(basis, uniform, secret)),
    ntt(basis, lift(set.primes, e)),
  );
  return { publicKey: serializePublicKey(set, b, uniform), secret, s, e };
}

export function plaintextOf(set: ParameterSet, name: string): BigUint64Array {
  const bytes = createHash('shake128', { outputLength: 8 * set.degree })
    .update(name)
    .digest();
  const words = new BigUint64Array(new Uint8Array(bytes).buffer);
  return words.map((word) => word % set.plainModulus);
}

/** A key and an encryption to it, from fixed seeds. */
export async function fixture(
  set: ParameterSet,
  name = 'fixture',
): Promise<
  ProvableEncryption & { key: EncryptionKey; statement: Statement; plaintext: BigUint64Array }
> {
  const key = await encryptionKey(set, seededKeys(set, `${name}/key`).publicKey);
  const plaintext = plaintextOf(set, name);
  const encryption = encryptForProof(key, plaintext, seededSource(`${name}/encryption`));
  return {
    ...encryption,
    ...{ key, plaintext, statement: { key, registered: encryption.registered, context } },
  };
}

/** SEAL's bytes of a ciphertext at the first level given by integers of any size. */
export function ciphertextBytes(
  set: ParameterSet,
  c0: readonly bigint[],
  c1: readonly bigint[],
): Uint8Array {
  const residues = (values: readonly bigint[]) =>
    BigUint64Array.from(
      set.primes
        .slice(0, -1)
        .flatMap((prime) => values.map((value) => ((value % prime) + prime) % prime)),
    );
  return serializeCiphertext(set, {
    limbs: firstLimbs(set),
    c0: residues(c0),
    c1: residues(c1),
  });
}

/** SEAL's bytes of the double of a witness's ciphertext, whatever the witness is. */
export function doubledBytes(key: EncryptionKey, witness: Witness): Uint8Array {
  const { limbs, c0, c1 } = ciphertextOf(key, witness);
  const basis = basisOf(key.set, limbs);
  const doubled = { limbs, c0: add(basis, c0, c0), c1: add(basis, c1, c1) };
  return serializeCiphertext(key.set, doubled);
}

/** The coefficients of a ciphertext at the first level, in (-q/2, q/2). */
export function integersOf(
  set: ParameterSet,
  ciphertext: Uint8Array,
): { c0: bigint[]; c1: bigint[] } {
  const { limbs, c0, c1 } = parseCiphertext(set, ciphertext);
  return { c0: centred(set, limbs, c0), c1: centred(set, limbs, c1) };
}
