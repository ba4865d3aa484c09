import { beforeAll, describe, expect, it } from 'vitest';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { FheErrorCode } from '../../../../workers/fhe/errors.ts';
import { encryptForProof } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { serializeProof } from '../../../../workers/proofs/lattice/format.ts';
import { latticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';
import { makeProof, prove } from '../../../../workers/proofs/lattice/prove.ts';
import { prepare, type Statement } from '../../../../workers/proofs/lattice/statement.ts';
import { verify } from '../../../../workers/proofs/lattice/verify.ts';
import type { Witness } from '../../../../workers/proofs/encryption.ts';
import { withCode } from '../../kernels/support.ts';
import {
  ciphertextBytes,
  context,
  doubledBytes,
  fixture,
  integersOf,
  plaintextOf,
  seededKeys,
  seededSource,
  tinySet,
} from '../support.ts';

let statement: Statement;
let witness: Witness;
let proof: Uint8Array;

beforeAll(async () => {
  ({ statement, witness } = await fixture(tinySet));
  proof = await prove(statement, witness, seededSource('refusal'));
  await verify(statement, proof);
});

const refusal = async (changed: Partial<Statement>, bytes = proof): Promise<unknown> =>
  verify({ ...statement, ...changed }, bytes).then(
    () => 'accepted',
    (error: { code: unknown }) => error.code,
  );

describe('a proof is refused', () => {
  it('with any bit of the digest or of a response changed', async () => {
    const parsed = new Set<string>([
      ProofErrorCode.DIGEST_MISMATCH,
      ProofErrorCode.RESPONSE_OUT_OF_RANGE,
      ProofErrorCode.RESPONSE_TOO_LONG,
    ]);
    const positions = [
      ...Array.from({ length: 32 }, (_, at) => at),
      ...Array.from({ length: 120 }, (_, i) => 32 + Math.floor(i * ((proof.length - 33) / 119))),
    ];
    for (const at of positions) {
      const changed = proof.slice();
      changed[at] ^= 1 << (at % 8);
      expect(parsed).toContain(await refusal({}, changed));
    }
  });

  it('with another length', async () => {
    const longer = new Uint8Array([...proof, 0]);
    for (const bytes of [new Uint8Array(0), proof.slice(0, 32), proof.slice(0, -1), longer]) {
      expect(await refusal({}, bytes)).toBe(ProofErrorCode.LENGTH_INVALID);
    }
  });

  it('with a response out of range, and only then for that', async () => {
    const parameters = latticeParameters(tinySet);
    const bound = 2 ** parameters.maskBits;
    const length = parameters.repetitions * tinySet.degree;
    const withOne = (value: number): Uint8Array => {
      const responses = new Int32Array(length);
      responses[length - 1] = value;
      return serializeProof(parameters, { digest: proof.slice(0, 32), responses });
    };
    for (const value of [-bound, bound - 1]) {
      expect(await refusal({}, withOne(value))).toBe(ProofErrorCode.RESPONSE_OUT_OF_RANGE);
    }
    for (const value of [1 - bound, bound - 2, 0]) {
      expect(await refusal({}, withOne(value))).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });

  it('with a response that is too long by one', async () => {
    const parameters = latticeParameters(tinySet);
    const { normBound, repetitions, maskBits } = parameters;
    const length = repetitions * tinySet.degree;
    const responses = new Int32Array(length);
    // Greedy squares that add up to the bound exactly.
    let left = normBound;
    let at = length - tinySet.degree;
    for (; left > 0; at++) {
      responses[at] = Math.min(Math.floor(Math.sqrt(left)), 2 ** maskBits - 2);
      left -= responses[at] ** 2;
    }
    const code = async (): Promise<unknown> =>
      refusal({}, serializeProof(parameters, { digest: proof.slice(0, 32), responses }));
    expect(await code()).toBe(ProofErrorCode.DIGEST_MISMATCH);
    responses[at] = 1;
    expect(await code()).toBe(ProofErrorCode.RESPONSE_TOO_LONG);
  });

  it('for another user, contract or chain', async () => {
    const other = '0x00000000000000000000000000000000000000b1';
    for (const changed of [{ user: other }, { contract: other }, { chainId: 31338n }] as const) {
      const code = await refusal({ context: { ...context, ...changed } });
      expect(code).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
    const swapped = { ...context, user: context.contract, contract: context.user };
    expect(await refusal({ context: swapped })).toBe(ProofErrorCode.DIGEST_MISMATCH);
  });

  it('under another key, also one that differs in name only', async () => {
    const other = await encryptionKey(tinySet, seededKeys(tinySet, 'other').publicKey);
    expect(await refusal({ key: other })).toBe(ProofErrorCode.DIGEST_MISMATCH);
    const renamed = { ...statement.key, digest: other.digest };
    expect(await refusal({ key: renamed })).toBe(ProofErrorCode.DIGEST_MISMATCH);
  });

  it('for another ciphertext', async () => {
    const { key } = statement;
    const { registered } = encryptForProof(key, plaintextOf(tinySet, 'other'));
    expect(await refusal({ registered })).toBe(ProofErrorCode.DIGEST_MISMATCH);
  });

  it('for c where 2c was proved, and for 4c', async () => {
    const doubled = await prepare(statement);
    const { c0, c1 } = integersOf(tinySet, statement.registered);
    const q = tinySet.primes[0] * tinySet.primes[1];
    const halves = (x: bigint): bigint => (x % 2n === 0n ? x : x + q) / 2n;
    const others = [
      ciphertextBytes(tinySet, c0.map(halves), c1.map(halves)),
      ciphertextBytes(
        tinySet,
        c0.map((x) => 2n * x),
        c1.map((x) => 2n * x),
      ),
    ];
    for (const registered of others) {
      expect(await refusal({ registered })).toBe(ProofErrorCode.DIGEST_MISMATCH);
      // A prover that binds the other ciphertext, but proves the equations of this one.
      const { prefix } = await prepare({ ...statement, registered });
      const forged = await makeProof({ ...doubled, prefix }, witness, seededSource('forged'));
      expect(await refusal({ registered }, forged)).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });
});

describe('a statement is refused', () => {
  it('with bytes that are no fresh ciphertext', async () => {
    const { registered } = statement;
    expect(await refusal({ registered: registered.slice(0, -1) })).toBe(FheErrorCode.TRUNCATED);
    const level = serializeCiphertext(tinySet, {
      limbs: 1,
      c0: new BigUint64Array(tinySet.degree).fill(1n),
      c1: new BigUint64Array(tinySet.degree).fill(1n),
    });
    expect(await refusal({ registered: level })).toBe(ProofErrorCode.LEVEL_INVALID);
  });

  it('with a chain id or address that is none', async () => {
    const wrong = [
      { chainId: -1n },
      { chainId: 1n << 256n },
      { user: '0x' },
      { contract: `0x${'0'.repeat(39)}g` },
      { contract: `0x${'0'.repeat(41)}` },
    ] as const;
    for (const changed of wrong) {
      const code = await refusal({ context: { ...context, ...changed } });
      expect(code).toBe(ProofErrorCode.CONTEXT_INVALID);
    }
  });
});

describe('there is no proof', () => {
  const proving = async (registered: Uint8Array, secret: Witness): Promise<unknown> =>
    prove({ ...statement, registered }, secret, seededSource('none'));
  const invalid = withCode(ProofErrorCode.WITNESS_INVALID);

  it('for a witness beyond an honest bound, and one at the bound has one', async () => {
    const { key } = statement;
    const { wide } = latticeParameters(tinySet);
    const at = <V extends Int8Array | Float64Array>(vector: V, value: number): V => {
      const copy = vector.slice() as V;
      copy[7] = value;
      return copy;
    };
    const beyond: Witness[] = [
      { ...witness, u: at(witness.u, 2) },
      { ...witness, e1: at(witness.e1, 22) },
      { ...witness, e1: at(witness.e1, -22) },
      { ...witness, w: at(witness.w, wide.errorBound + 1) },
      { ...witness, w: at(witness.w, -wide.errorBound - 1) },
    ];
    for (const secret of beyond) {
      await expect(proving(doubledBytes(key, secret), secret)).rejects.toThrow(invalid);
    }
    const largest = {
      u: at(witness.u, -1),
      e1: at(witness.e1, 21),
      w: at(witness.w, wide.errorBound),
    };
    const registered = doubledBytes(key, largest);
    await verify(
      { ...statement, registered },
      await prove({ ...statement, registered }, largest, seededSource('largest')),
    );
  });

  it('for a witness of another shape', async () => {
    const fraction = witness.w.slice();
    fraction[0] += 0.5;
    const shapes: Witness[] = [
      { ...witness, u: witness.u.slice(1) },
      { ...witness, e1: new Int8Array(0) },
      { ...witness, w: fraction },
      { ...witness, w: witness.w.map(() => NaN) },
    ];
    for (const secret of shapes) {
      await expect(proving(statement.registered, secret)).rejects.toThrow(invalid);
    }
  });

  it('for a ciphertext with structure, and a prover that does not look makes none', async () => {
    const { c0, c1 } = integersOf(tinySet, statement.registered);
    const { plainModulus: t, primes } = tinySet;
    const q = primes[0] * primes[1];
    const none = c0.map(() => 0n);
    const one = none.with(0, 1n);
    const malformed: Record<string, [bigint[], bigint[]]> = {
      'a monomial as c1': [c0, one],
      'a quarter of q as c1': [none, none.with(0, q / 4n)],
      'a known multiple of q/t that meets the key': [none, one.map((x) => (x * q) / t)],
      'noise up to half of q/t': [c0.with(3, c0[3] + q / (2n * t)), c1],
      'noise of many bits more': [c0.with(3, c0[3] + (1n << 32n)), c1],
      'an odd coefficient, so that halving adds half of q': [c0.with(0, c0[0] + 1n), c1],
      'an odd coefficient of c1': [c0, c1.with(5, c1[5] + 1n)],
    };
    for (const [name, [x, y]] of Object.entries(malformed)) {
      const registered = ciphertextBytes(tinySet, x, y);
      await expect(proving(registered, witness), name).rejects.toThrow(invalid);
      const forged = await blindly(registered, name);
      expect(await refusal({ registered }, forged), name).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });

  it('by an honest prover with little more noise, but such a proof is accepted', async () => {
    // Intervals are longer than honest errors: `provedNoise` is what a proof guarantees.
    const { c0, c1 } = integersOf(tinySet, statement.registered);
    const registered = ciphertextBytes(tinySet, c0.with(3, c0[3] + 100n), c1);
    await expect(proving(registered, witness)).rejects.toThrow(invalid);
    expect(await refusal({ registered }, await blindly(registered, 'slack'))).toBe('accepted');
  });

  /** A proof for other bytes by a prover that uses the equations its witness satisfies. */
  async function blindly(registered: Uint8Array, seed: string): Promise<Uint8Array> {
    const { equations } = await prepare(statement);
    const blind = { ...(await prepare({ ...statement, registered })), equations };
    return makeProof(blind, witness, seededSource(seed));
  }
});
