import { beforeAll, describe, expect, it } from 'vitest';
import { sealDecrypt, sealSecretKey } from '../../fhe/support.ts';
import { encryptWithWitness } from '../../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import type { Crs } from '../../../../workers/proofs/kzg/crs.ts';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import { verifyKzg } from '../../../../workers/proofs/kzg/verify.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { plaintextOf, seededKeys, seededSource, tinySet } from '../support.ts';
import {
  extremeWitness,
  curve,
  insecureCrs,
  kzgFixture,
  statementOf,
  twoGroups,
} from './support.ts';

// N = 8192 and 16384 are in completeness.slow.test.ts.

/** Sets of all kinds of plain moduli, small enough to prove many times. */
const tiny = [
  tinySet,
  { ...tinySet, name: 'insecure-proof-256-w8', plainModulus: 256n, batching: false },
  { ...tinySet, name: 'insecure-proof-256-w32', plainModulus: 1n << 32n, batching: false },
  twoGroups,
];

describe.each(tiny)('an honest proof under $name', (set) => {
  let crs: Crs;
  beforeAll(async () => {
    crs = await insecureCrs(set);
  });

  it('is always accepted', async () => {
    const { key } = await kzgFixture(set);
    for (let i = 0; i < 4; i++) {
      const plaintext = plaintextOf(set, `completeness/${i}`);
      const { witness } = encryptWithWitness(key, plaintext, seededSource(`encryption/${i}`));
      const statement = statementOf(key, witness);
      await verifyKzg(statement, crs.key, await proveKzg(statement, witness, crs, { curve }));
    }
  });

  it('is accepted for the largest coefficients there are', async () => {
    const { key } = await kzgFixture(set);
    const witness = extremeWitness(set);
    const statement = statementOf(key, witness);
    await verifyKzg(statement, crs.key, await proveKzg(statement, witness, crs, { curve }));
  });
});

describe.each(['insecure-bfv-1024', 'insecure-bfv-1024-b17'])('under %s', (name) => {
  it('what is proved is what SEAL decrypts to the plaintext', async () => {
    const set = parameterSet(name);
    const crs = await insecureCrs(set);
    const { statement, witness, plaintext } = await kzgFixture(set);
    const { secret } = seededKeys(set, 'kzg/key');
    const found = sealDecrypt(set, sealSecretKey(set, secret), statement.registered);
    expect(found).toEqual(plaintext);
    await verifyKzg(statement, crs.key, await proveKzg(statement, witness, crs, { curve }));
  });
});

it('tells how far it is, and stops when told to', async () => {
  const set = tinySet;
  const crs = await insecureCrs(set);
  const { statement, witness } = await kzgFixture(set);
  const progress: [number, number][] = [];
  const onProgress = (done: number, steps: number) => void progress.push([done, steps]);
  await proveKzg(statement, witness, crs, { onProgress, curve });
  const steps = progress.length;
  expect(progress).toEqual(progress.map((_, i) => [i + 1, steps]));

  const stop = new AbortController();
  const reason = new Error('enough');
  const stopped = proveKzg(statement, witness, crs, {
    onProgress: (done) => done === 3 && stop.abort(reason),
    signal: stop.signal,
    curve,
  });
  await expect(stopped).rejects.toBe(reason);
  await expect(
    proveKzg(statement, witness, crs, { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
});

it('is another one each time, of the same length', async () => {
  const crs = await insecureCrs(tinySet);
  const key = await encryptionKey(tinySet, seededKeys(tinySet, 'kzg/key').publicKey);
  const { witness, statement } = await kzgFixture(tinySet);
  const [one, two] = [
    await proveKzg(statement, witness, crs, { curve }),
    await proveKzg({ ...statement, key }, witness, crs, { curve }),
  ];
  expect(one.length).toBe(two.length);
  // But for the digest that names the powers of tau, nothing is the same: 32 bytes at a time.
  for (let at = 32; at < one.length; at += 32) {
    expect(one.slice(at, at + 32)).not.toEqual(two.slice(at, at + 32));
  }
});
