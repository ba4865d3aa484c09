import { createHash } from 'node:crypto';
import { Curve } from '../../../../workers/curve/curve.ts';
import { g1Generator, g2Generator } from '../../../../workers/curve/points.ts';
import { one } from '../../../../workers/curve/scalars.ts';
import { groupOrder, scalarBytes } from '../../../../workers/curve/vectors.ts';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import {
  ciphertextOf,
  encryptWithWitness,
  type Witness,
} from '../../../../workers/proofs/encryption.ts';
import { encryptionKey, type EncryptionKey } from '../../../../workers/proofs/key.ts';
import type { Crs } from '../../../../workers/proofs/kzg/crs.ts';
import { kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import type { KzgStatement } from '../../../../workers/proofs/kzg/statement.ts';
import { parameterSet, type ParameterSet } from '../../../../workers/ring/parameters.ts';
import { seeded } from '../../curve/support.ts';
import { context, plaintextOf, seededKeys, seededSource, tinySet } from '../support.ts';

/** Threads for all proofs of a test file; they do not keep a process alive. */
export const curve = await Curve.start();

/**
 * Powers of a tau that the name tells, as many as the parameter set needs: many times faster than a
 * ceremony, and safe for nobody.
 */
export async function insecureCrs(set: ParameterSet, name = 'tau'): Promise<Crs> {
  const { length, power } = kzgParameters(set);
  const tau = scalarBytes(seeded(name) % groupOrder);
  const generators = new Uint8Array(64 * length);
  for (let i = 0; i < length; i++) generators.set(g1Generator, 64 * i);
  const tauG1 = await curve.scaleByPowers('g1', generators, one(), tau);
  const tauG2 = await curve.multiply('g2', g2Generator, tau);
  const digest = createHash('sha256').update(tauG1).digest('hex');
  return { key: { digest: `0x${digest}`, power, tauG2 }, tauG1 };
}

export interface KzgFixture {
  readonly key: EncryptionKey;
  readonly plaintext: BigUint64Array;
  readonly witness: Witness;
  readonly statement: KzgStatement;
}

/** Six primes of 49 bits, which are more than one group, and a special one. */
export const twoGroups: ParameterSet = {
  ...tinySet,
  name: 'insecure-proof-256-x6',
  primes: parameterSet('bfv-16384-b20').primes.slice(2),
};

/** A key and an encryption to it, from fixed seeds. */
export async function kzgFixture(set: ParameterSet, name = 'kzg'): Promise<KzgFixture> {
  const key = await encryptionKey(set, seededKeys(set, `${name}/key`).publicKey);
  const plaintext = plaintextOf(set, name);
  const { witness } = encryptWithWitness(key, plaintext, seededSource(`${name}/encryption`));
  return { key, plaintext, witness, statement: statementOf(key, witness) };
}

/** The statement of a witness's ciphertext, whatever the witness is. */
export function statementOf(key: EncryptionKey, witness: Witness): KzgStatement {
  const registered = serializeCiphertext(key.set, ciphertextOf(key, witness));
  return { key, registered, context };
}

/** A witness with every coefficient at a bound. */
export function extremeWitness({ degree, plainModulus }: ParameterSet): Witness {
  const signs = Int8Array.from({ length: degree }, (_, i) => (i % 3 === 0 ? -1 : 1));
  const bound = 21 * Number(plainModulus) + Number(plainModulus / 2n);
  return {
    u: signs,
    e1: signs.map((sign) => 21 * sign),
    w: Float64Array.from(signs, (sign) => sign * bound),
  };
}
