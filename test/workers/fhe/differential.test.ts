import { describe, expect, it } from 'vitest';
import {
  firstLimbs,
  parseCiphertext,
  serializeCiphertext,
} from '../../../workers/fhe/ciphertext.ts';
import { encrypt } from '../../../workers/fhe/client.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import { parsePublicKey } from '../../../workers/fhe/keys.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import {
  add,
  intt,
  multiply,
  negacyclicCoefficients,
  negacyclicMultiplyAdd,
  ntt,
} from '../../../workers/ring/arithmetic.ts';
import { basisOf } from '../../../workers/ring/basis.ts';
import { parameterSets } from '../../../workers/ring/parameters.ts';
import { scaleAndRound } from '../../../workers/ring/rounding.ts';
import { switchModulus } from '../../../workers/ring/switching.ts';
import {
  centred,
  infinityNorm,
  loadCiphertext,
  sampleValues,
  sealDecrypt,
  sealKeys,
  sealSwitch,
  secretNtt,
} from './support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(parameterSets)('the ring against SEAL, $name', (set) => {
  const keys = sealKeys(set);
  const fresh = encrypt(set, keys.publicKey, sampleValues(set));

  it('has SEAL’s order of evaluations', () => {
    const basis = basisOf(set);
    const evaluations = secretNtt(keys.secretKey);
    const coefficients = intt(basis, evaluations);
    expect(infinityNorm(centred(set, basis.limbs, coefficients))).toBe(1n);
    expect(ntt(basis, coefficients)).toEqual(evaluations);

    const { b, a } = parsePublicKey(set, keys.publicKey);
    const error = intt(basis, add(basis, b, multiply(basis, a, evaluations)));
    expect(infinityNorm(centred(set, basis.limbs, error))).toBeLessThanOrEqual(21n);
  });

  it('transforms a ciphertext as SEAL does', () => {
    const { limbs, c0 } = parseCiphertext(set, fresh);
    const transformed = withSeal((own) => {
      const object = loadCiphertext(set, fresh, own);
      const evaluator = own(new seal.Evaluator(sealContext(set).handle));
      evaluator.cipherTransformToNttInplace(object);
      return savedBytes(object);
    });
    const expected = ntt(basisOf(set, limbs), c0);
    const bytes = new Uint8Array(expected.buffer);
    expect(hex(transformed.subarray(113, 113 + bytes.length))).toBe(hex(bytes));
  });

  it('switches levels bit for bit, from every level to every lower one', () => {
    for (let from = firstLimbs(set); from > 1; from--) {
      const bytes = sealSwitch(set, fresh, from);
      const { c0, c1 } = parseCiphertext(set, bytes);
      for (let to = from - 1; to >= 1; to--) {
        const [source, target] = [basisOf(set, from), basisOf(set, to)];
        const switched = {
          limbs: to,
          c0: switchModulus(source, target, c0),
          c1: switchModulus(source, target, c1),
        };
        expect(hex(serializeCiphertext(set, switched))).toBe(hex(sealSwitch(set, bytes, to)));
      }
    }
  });

  it('decrypts as SEAL does, at every level with room for the plaintext', () => {
    for (let limbs = firstLimbs(set); limbs >= 2; limbs--) {
      const bytes = sealSwitch(set, fresh, limbs);
      const { c0, c1 } = parseCiphertext(set, bytes);
      const basis = basisOf(set, limbs);
      const secret = secretNtt(keys.secretKey).subarray(0, limbs * set.degree);
      const scaled = negacyclicMultiplyAdd(basis, c1, secret, c0);
      const plaintext = scaleAndRound(basis, set.plainModulus, scaled);
      expect(plaintext).toEqual(sealDecrypt(set, keys.secretKey, bytes));

      const positions = Uint32Array.of(0, 1, set.degree / 2, set.degree - 1);
      const inner = negacyclicCoefficients(basis, c1, intt(basis, secret), positions);
      const product = negacyclicMultiplyAdd(basis, c1, secret, new BigUint64Array(c1.length));
      const expected = Array.from({ length: limbs }, (_, limb) =>
        [...positions].map((position) => product[limb * set.degree + position]),
      ).flat();
      expect([...inner]).toEqual(expected);
    }
  });
});
