import { beforeAll, describe, expect, it } from 'vitest';
import { fromEvm, g1Generator, toEvm } from '../../../../workers/curve/points.ts';
import { groupOrder, scalarAt, writeScalar } from '../../../../workers/curve/vectors.ts';
import { serializeCiphertext } from '../../../../workers/fhe/ciphertext.ts';
import { FheErrorCode } from '../../../../workers/fhe/errors.ts';
import type { Witness } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { encryptionKey } from '../../../../workers/proofs/key.ts';
import { crsDigestOf, type Crs } from '../../../../workers/proofs/kzg/crs.ts';
import { kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import type { KzgStatement } from '../../../../workers/proofs/kzg/statement.ts';
import { verifyKzg } from '../../../../workers/proofs/kzg/verify.ts';
import { p } from '../../curve/support.ts';
import { withCode } from '../../kernels/support.ts';
import { ciphertextBytes, context, integersOf, seededKeys, tinySet } from '../support.ts';
import { curve, insecureCrs, kzgFixture, statementOf } from './support.ts';

const { columns, chunks, proofBytes, power } = kzgParameters(tinySet);
/** Where parts of a proof begin. */
const firstPoint = 32;
const firstValue = firstPoint + 64 * (columns + 2 + chunks);
const firstOpening = firstValue + 32 * (columns + 3);

let crs: Crs;
let statement: KzgStatement;
let witness: Witness;
let proof: Uint8Array;

beforeAll(async () => {
  crs = await insecureCrs(tinySet);
  ({ statement, witness } = await kzgFixture(tinySet));
  proof = await proveKzg(statement, witness, crs, { curve });
  await verifyKzg(statement, crs.key, proof);
});

const refusal = async (
  bytes: Uint8Array,
  changed: Partial<KzgStatement> = {},
  key = crs.key,
): Promise<unknown> =>
  verifyKzg({ ...statement, ...changed }, key, bytes).then(
    () => 'accepted',
    (error: { code: unknown }) => error.code,
  );

/** The proof with other bytes from `at` on. */
const withBytes = (at: number, bytes: Uint8Array): Uint8Array => {
  const changed = proof.slice();
  changed.set(bytes, at);
  return changed;
};
const pointPositions = [
  ...Array.from({ length: columns + 2 + chunks }, (_, i) => firstPoint + 64 * i),
  ...[firstOpening, firstOpening + 64],
];
const valuePositions = Array.from({ length: columns + 3 }, (_, i) => firstValue + 32 * i);

describe('a kzg proof is refused', () => {
  it('with any of its points replaced by another valid one', async () => {
    const generator = toEvm('g1', g1Generator);
    for (const at of pointPositions) {
      expect(await refusal(withBytes(at, generator))).toBe(ProofErrorCode.OPENING_MISMATCH);
      const negative = proof.slice(at, at + 64);
      const y = BigInt(`0x${Buffer.from(negative.subarray(32)).toString('hex')}`);
      negative.set(Buffer.from((p - y).toString(16).padStart(64, '0'), 'hex'), 32);
      expect(await refusal(withBytes(at, negative))).toBe(ProofErrorCode.OPENING_MISMATCH);
    }
  });

  it('with any of its values changed by one', async () => {
    for (const at of valuePositions) {
      for (const step of [1n, -1n]) {
        const value = proof.slice(at, at + 32);
        writeScalar(value, 0, scalarAt(value, 0) + step);
        expect(await refusal(withBytes(at, value))).toBe(ProofErrorCode.OPENING_MISMATCH);
      }
    }
  });

  it('with a point that is infinity, off the curve or not in its one form', async () => {
    for (const at of pointPositions) {
      const infinity = new Uint8Array(64);
      expect(await refusal(withBytes(at, infinity))).toBe(ProofErrorCode.POINT_INVALID);
      const off = proof.slice(at, at + 64);
      off[63] ^= 1;
      expect(await refusal(withBytes(at, off))).toBe(ProofErrorCode.POINT_INVALID);
      // x + p is the same number modulo p, and fits: p is below 2^254.
      const x = BigInt(`0x${Buffer.from(proof.subarray(at, at + 32)).toString('hex')}`);
      const large = Buffer.from((x + p).toString(16).padStart(64, '0'), 'hex');
      expect(await refusal(withBytes(at, large))).toBe(ProofErrorCode.POINT_INVALID);
    }
    expect(fromEvm('g1', proof.slice(firstPoint, firstPoint + 64))).toHaveLength(64);
  });

  it('with a value that is not in its one form', async () => {
    for (const at of valuePositions) {
      const value = scalarAt(proof.subarray(at, at + 32), 0);
      const bytes = Buffer.from((value + groupOrder).toString(16).padStart(64, '0'), 'hex');
      const large = withBytes(at, bytes.reverse());
      expect(await refusal(large)).toBe(ProofErrorCode.VALUE_OUT_OF_RANGE);
    }
  });

  it('with another length', async () => {
    expect(proof).toHaveLength(proofBytes);
    for (const bytes of [new Uint8Array(0), proof.slice(0, -1), new Uint8Array([...proof, 0])]) {
      expect(await refusal(bytes)).toBe(ProofErrorCode.LENGTH_INVALID);
      expect(() => crsDigestOf(tinySet, bytes)).toThrow(withCode(ProofErrorCode.LENGTH_INVALID));
    }
  });

  it('for another user, contract or chain', async () => {
    const other = '0x00000000000000000000000000000000000000b1';
    const changes = [
      ...[{ user: other }, { contract: other }, { chainId: 31338n }],
      { user: context.contract, contract: context.user },
    ] as const;
    for (const changed of changes) {
      const code = await refusal(proof, { context: { ...context, ...changed } });
      expect(code).toBe(ProofErrorCode.OPENING_MISMATCH);
    }
    for (const changed of [{ chainId: -1n }, { chainId: 1n << 256n }, { user: '0x12' as const }]) {
      const code = await refusal(proof, { context: { ...context, ...changed } });
      expect(code).toBe(ProofErrorCode.CONTEXT_INVALID);
    }
  });

  it('for another key, and for the same one as other bytes', async () => {
    const key = await encryptionKey(tinySet, seededKeys(tinySet, 'other key').publicKey);
    expect(await refusal(proof, { key })).toBe(ProofErrorCode.OPENING_MISMATCH);
    const renamed = { ...statement.key, digest: key.digest };
    expect(await refusal(proof, { key: renamed })).toBe(ProofErrorCode.OPENING_MISMATCH);
  });

  it('for another ciphertext', async () => {
    const { c0, c1 } = integersOf(tinySet, statement.registered);
    const changes = [
      ciphertextBytes(tinySet, c0.with(0, c0[0] + 1n), c1),
      ciphertextBytes(tinySet, c0, c1.with(255, c1[255] - 1n)),
      ciphertextBytes(tinySet, c1, c0),
    ];
    for (const registered of changes) {
      expect(await refusal(proof, { registered })).toBe(ProofErrorCode.OPENING_MISMATCH);
    }
    const truncated = statement.registered.slice(0, -1);
    expect(await refusal(proof, { registered: truncated })).toBe(FheErrorCode.TRUNCATED);
    const lower = serializeCiphertext(tinySet, {
      limbs: 1,
      ...Object.fromEntries(
        ['c0', 'c1'].map((name) => [name, new BigUint64Array(tinySet.degree).fill(1n)]),
      ),
    } as never);
    expect(await refusal(proof, { registered: lower })).toBe(ProofErrorCode.LEVEL_INVALID);
  });

  it('for other powers of tau', async () => {
    const { key } = await insecureCrs(tinySet, 'another tau');
    expect(await refusal(proof, {}, key)).toBe(ProofErrorCode.CRS_MISMATCH);
    const renamed = withBytes(0, Buffer.from(key.digest.slice(2), 'hex'));
    expect(await refusal(renamed, {}, key)).toBe(ProofErrorCode.OPENING_MISMATCH);
    expect(await refusal(renamed, {}, { ...crs.key, digest: key.digest })).toBe(
      ProofErrorCode.OPENING_MISMATCH,
    );
    const small = { ...crs.key, power: power - 1 };
    expect(await refusal(proof, {}, small)).toBe(ProofErrorCode.CRS_TOO_SMALL);
  });
});

describe('a prover refuses', () => {
  it('a witness of another ciphertext', async () => {
    const { witness: other } = await kzgFixture(tinySet, 'other');
    for (const mixed of [other, { ...witness, w: other.w }, { ...witness, e1: other.e1 }]) {
      await expect(proveKzg(statement, mixed, crs, { curve })).rejects.toThrow(
        withCode(ProofErrorCode.WITNESS_INVALID),
      );
    }
  });

  it('a witness that is not short, or of another shape', async () => {
    const { key } = statement;
    const bound = 21 * Number(tinySet.plainModulus) + Number(tinySet.plainModulus / 2n);
    const long: Witness[] = [
      { ...witness, u: witness.u.with(0, 2) },
      { ...witness, e1: witness.e1.with(9, -22) },
      { ...witness, w: witness.w.with(255, bound + 1) },
    ];
    for (const changed of long) {
      await expect(proveKzg(statementOf(key, changed), changed, crs, { curve })).rejects.toThrow(
        withCode(ProofErrorCode.WITNESS_INVALID),
      );
    }
    const shapes = [
      { ...witness, u: witness.u.slice(1) },
      { ...witness, w: witness.w.with(0, NaN) },
    ];
    for (const changed of shapes) {
      await expect(proveKzg(statement, changed, crs, { curve })).rejects.toThrow(
        withCode(ProofErrorCode.WITNESS_INVALID),
      );
    }
  });
});
