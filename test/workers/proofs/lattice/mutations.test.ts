import { beforeAll, describe, expect, it } from 'vitest';
import { isKeyloomError } from '../../../../workers/errors.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { parseProof, serializeProof } from '../../../../workers/proofs/lattice/format.ts';
import {
  latticeParameters,
  type LatticeParameters,
} from '../../../../workers/proofs/lattice/parameters.ts';
import { prove } from '../../../../workers/proofs/lattice/prove.ts';
import { prepare, type Statement } from '../../../../workers/proofs/lattice/statement.ts';
import { checkProof, verify } from '../../../../workers/proofs/lattice/verify.ts';
import { seededBytes } from '../../kernels/reference.ts';
import { fixture, seededSource, tinySet } from '../support.ts';
import { responseMutations } from './mutations.ts';

const parameters = latticeParameters(tinySet);
const { narrow, wide, primes, repetitions } = parameters;
let statement: Statement;
let proof: Uint8Array;

beforeAll(async () => {
  const { witness, ...rest } = await fixture(tinySet, 'mutations');
  ({ statement } = rest);
  proof = await prove(statement, witness, seededSource('mutations'));
  await verify(statement, proof);
});

const codeOf = async (checked: Promise<unknown>): Promise<unknown> =>
  checked.then(
    () => 'accepted',
    (error: unknown) => (isKeyloomError(error) ? error.code : error),
  );

describe('one thing changed', () => {
  it('among the parameters that a proof names, also where nothing is computed from it', async () => {
    const changes: Record<string, Partial<LatticeParameters>> = {
      degree: { set: { ...tinySet, degree: 2 * tinySet.degree } },
      'plain modulus': { set: { ...tinySet, plainModulus: tinySet.plainModulus + 2n } },
      'norm bound': { normBound: parameters.normBound + 1 },
      'prime of the first equation': { narrow: { ...narrow, limb: 1 - narrow.limb } },
      'interval of the first equation': { narrow: { ...narrow, bits: narrow.bits + 1 } },
      'error of the first equation': { narrow: { ...narrow, errorBound: 22 } },
      'prime of the second equation': { wide: { ...wide, limb: 1 - wide.limb } },
      'interval of the second equation': { wide: { ...wide, bits: wide.bits - 1 } },
      'error of the second equation': { wide: { ...wide, errorBound: wide.errorBound + 1 } },
    };
    const ours = await prepare(statement);
    for (const [name, change] of Object.entries(changes)) {
      // The computation is the same: what differs is what the digest covers, so that is what is tested.
      const { prefix } = await prepare(statement, { ...parameters, ...change });
      const code = await codeOf(checkProof({ ...ours, prefix }, proof));
      expect(code, name).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
    for (const change of [
      { repetitions: repetitions + 1 },
      { maskBits: parameters.maskBits + 1 },
    ]) {
      const other = await prepare(statement, { ...parameters, ...change });
      expect(await codeOf(checkProof(other, proof))).toBe(ProofErrorCode.LENGTH_INVALID);
      const { prefix } = other;
      const code = await codeOf(checkProof({ ...ours, prefix }, proof));
      expect(code).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });

  it('in any byte that the digest covers', async () => {
    const prepared = await prepare(statement);
    for (let at = 0; at < prepared.prefix.length; at++) {
      const prefix = prepared.prefix.slice();
      prefix[at] ^= 1 << (at % 8);
      const code = await codeOf(checkProof({ ...prepared, prefix }, proof));
      expect(code).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });

  it('in any bit of the digest', async () => {
    const prepared = await prepare(statement);
    for (let bit = 0; bit < 256; bit++) {
      const changed = proof.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const code = await codeOf(checkProof(prepared, changed));
      expect(code).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });

  it('in a coefficient of any response, by one or to an end of the range or beyond', async () => {
    const prepared = await prepare(statement);
    const codes = { inside: new Set<unknown>(), beyond: new Set<unknown>() };
    for (const { kind, bytes } of responseMutations(parameters, proof, 5)) {
      codes[kind].add(await codeOf(checkProof(prepared, bytes)));
    }
    // An end of the range may make a long response too long.
    codes.inside.delete(ProofErrorCode.RESPONSE_TOO_LONG);
    expect(codes.inside).toEqual(new Set([ProofErrorCode.DIGEST_MISMATCH]));
    expect(codes.beyond).toEqual(new Set([ProofErrorCode.RESPONSE_OUT_OF_RANGE]));
  });

  it('in the order or sign of responses', async () => {
    const prepared = await prepare(statement);
    const { digest, responses } = parseProof(parameters, proof);
    const { degree } = tinySet;
    const swapped = responses.slice();
    swapped.copyWithin(0, degree, 2 * degree);
    swapped.set(responses.subarray(0, degree), degree);
    const turned = responses.slice();
    turned.copyWithin(1, 0, degree - 1);
    turned[0] = -responses[degree - 1];
    for (const changed of [swapped, turned, responses.map((z) => -z)]) {
      const bytes = serializeProof(parameters, { digest, responses: changed });
      expect(await codeOf(checkProof(prepared, bytes))).toBe(ProofErrorCode.DIGEST_MISMATCH);
    }
  });
});

describe('malformed bytes', () => {
  it('of a proof are refused with a code', async () => {
    const { length } = proof;
    const inputs = [
      new Uint8Array(length),
      new Uint8Array(length).fill(255),
      ...Array.from({ length: 20 }, (_, i) => seededBytes(`malformed/${i}`, length)),
    ];
    for (const bytes of inputs) {
      expect(Object.values(ProofErrorCode)).toContain(await codeOf(verify(statement, bytes)));
    }
  });

  it('of a ciphertext are refused with a code, in its header and in a residue', async () => {
    const { registered } = statement;
    const headerLength = 113;
    const positions = [...Array(headerLength).keys(), headerLength, registered.length - 1];
    for (const at of positions) {
      for (const mask of [1, 128]) {
        const changed = registered.slice();
        changed[at] ^= mask;
        const code = await codeOf(verify({ ...statement, registered: changed }, proof));
        expect(typeof code, `byte ${at}`).toBe('string');
        expect(code).not.toBe('accepted');
      }
    }
  });

  it('of a residue that stands for the same number are refused', async () => {
    const changed = statement.registered.slice();
    const view = new DataView(changed.buffer);
    view.setBigUint64(113, view.getBigUint64(113, true) + primes[0], true);
    const code = await codeOf(verify({ ...statement, registered: changed }, proof));
    expect(code).not.toBe('accepted');
    expect(code).not.toBe(ProofErrorCode.DIGEST_MISMATCH);
    expect(typeof code).toBe('string');
  });
});
