import { encodeValues } from '../../workers/fhe/client.ts';
import { sealContext } from '../../workers/fhe/context.ts';
import { serializePlaintext } from '../../workers/fhe/plaintext.ts';
import { seal, withSeal } from '../../workers/fhe/seal.ts';
import { Curve } from '../../workers/curve/curve.ts';
import { serializeCiphertext } from '../../workers/fhe/ciphertext.ts';
import { encryptForProof, encryptWithWitness } from '../../workers/proofs/encryption.ts';
import { encryptionKey, type EncryptionKey } from '../../workers/proofs/key.ts';
import { kzgParameters } from '../../workers/proofs/kzg/parameters.ts';
import { proveKzg } from '../../workers/proofs/kzg/prove.ts';
import { verifyKzg } from '../../workers/proofs/kzg/verify.ts';
import { proofLength } from '../../workers/proofs/lattice/format.ts';
import { latticeParameters } from '../../workers/proofs/lattice/parameters.ts';
import { prove } from '../../workers/proofs/lattice/prove.ts';
import { verify } from '../../workers/proofs/lattice/verify.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { sampleValues, sealKeys } from '../workers/fhe/support.ts';
import { insecureCrs } from '../workers/proofs/kzg/support.ts';
import { median, type Measurement } from './report.ts';

const context = {
  chainId: 31337n,
  contract: '0x00000000000000000000000000000000000000c1',
  user: '0x00000000000000000000000000000000000000b0',
} as const;
/** Rounds beside as many warm-up rounds as a quarter of them. */
const rounds = { 'bfv-8192-b20': 80, 'bfv-16384-b20': 32 };
/** A kzg proof takes seconds. */
const kzgRounds = 4;

/**
 * Encrypting with a witness, proving and verifying against SEAL's Encryptor, which encrypts a plaintext
 * that it has loaded under a key that it has loaded. All take turns in one process.
 *
 * - `encrypt with a witness`: a plaintext of N coefficients, doubled and serialised.
 * - `prove`: with all tries and from the serialised ciphertext; the number of tries is random, so there are
 *   median and mean.
 * - `verify`: from the serialised ciphertext and proof.
 * - `kzg prove`, `kzg verify`: likewise for the kzg proof, on threads that are there, against the lattice
 *   proof of the same run; `kzg size` likewise.
 */
export async function benchProofs(): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [name, count] of Object.entries(rounds)) {
    measurements.push(...(await benchSet(parameterSet(name), count)));
  }
  return measurements;
}

async function benchSet(set: ParameterSet, count: number): Promise<Measurement[]> {
  const { publicKey } = sealKeys(set);
  const key = await encryptionKey(set, publicKey);
  const plaintext = encodeValues(set, sampleValues(set));
  const times = {
    seal: [] as number[],
    encrypt: [] as number[],
    prove: [] as number[],
    verify: [] as number[],
  };
  for (let round = -Math.ceil(count / 4); round < count; round++) {
    const timed = async <T>(what: keyof typeof times, work: () => T | Promise<T>): Promise<T> => {
      const started = performance.now();
      const result = await work();
      if (round >= 0) times[what].push(performance.now() - started);
      return result;
    };
    const sealMs = timeOfSeal(set, publicKey, plaintext);
    if (round >= 0) times.seal.push(sealMs);
    const { registered, witness } = await timed('encrypt', () => encryptForProof(key, plaintext));
    const statement = { key, registered, context };
    const proof = await timed('prove', () => prove(statement, witness));
    await timed('verify', () => verify(statement, proof));
  }
  const line = (what: string, of: keyof typeof times, average = median): Measurement => {
    const [value, baseline] = [average(times[of]), average(times.seal)];
    const name = `proofs, N=${set.degree}: ${what}`;
    return { name, unit: 'ms', value, baseline, ratio: value / baseline };
  };
  const lattice = { prove: mean(times.prove), verify: median(times.verify) };
  return [
    line('encrypt with a witness', 'encrypt'),
    line('prove, median', 'prove'),
    line('prove, mean', 'prove', mean),
    line('verify', 'verify'),
    ...(await benchKzg(set, key, plaintext, lattice)),
  ];
}

/** The kzg proof against the lattice proof. */
async function benchKzg(
  set: ParameterSet,
  key: EncryptionKey,
  plaintext: BigUint64Array,
  lattice: { readonly prove: number; readonly verify: number },
): Promise<Measurement[]> {
  const crs = await insecureCrs(set);
  const curve = await Curve.start();
  const times = { prove: [] as number[], verify: [] as number[] };
  try {
    for (let round = -1; round < kzgRounds; round++) {
      const { ciphertext, witness } = encryptWithWitness(key, plaintext);
      const statement = { key, registered: serializeCiphertext(set, ciphertext), context };
      const started = performance.now();
      const proof = await proveKzg(statement, witness, crs, { curve });
      const proved = performance.now();
      await verifyKzg(statement, crs.key, proof);
      if (round < 0) continue;
      times.prove.push(proved - started);
      times.verify.push(performance.now() - proved);
    }
  } finally {
    await curve.close();
  }
  const compared = (what: string, unit: string, value: number, baseline: number): Measurement => ({
    ...{ name: `proofs, N=${set.degree}: kzg ${what}`, unit, value, baseline },
    ratio: value / baseline,
  });
  return [
    compared('prove', 'ms', median(times.prove), lattice.prove),
    compared('verify', 'ms', median(times.verify), lattice.verify),
    compared('size', 'B', kzgParameters(set).proofBytes, proofLength(latticeParameters(set))),
  ];
}

/** Milliseconds of the second of two encryptions: caches are warm, as they are for the other sides. */
function timeOfSeal(set: ParameterSet, publicKey: Uint8Array, plaintext: BigUint64Array): number {
  return withSeal((own) => {
    const handle = sealContext(set).handle;
    const key = own(new seal.PublicKey());
    key.loadFromArray(handle, publicKey);
    const object = own(new seal.Plaintext());
    object.loadFromArray(handle, serializePlaintext(set, plaintext));
    const encryptor = own(new seal.Encryptor(handle, key));
    const ciphertext = own(new seal.Ciphertext());
    encryptor.encrypt(object, ciphertext);
    const started = performance.now();
    encryptor.encrypt(object, ciphertext);
    return performance.now() - started;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
