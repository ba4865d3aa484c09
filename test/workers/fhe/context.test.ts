import { describe, expect, it } from 'vitest';
import { sealContext } from '../../../workers/fhe/context.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet, parameterSets } from '../../../workers/ring/parameters.ts';

describe('sealContext', () => {
  const secure = parameterSets.filter((set) => set.secure);
  it.each(secure)('has the primes and the plain modulus that SEAL proposes for $name', (set) => {
    withSeal((own) => {
      const primes = own(seal.CoeffModulus.BFVDefault(set.degree, seal.SecLevelType.tc128));
      const values = set.primes.map((_, limb) => own(primes.get(limb)!).value());
      expect(primes.size()).toBe(set.primes.length);
      expect(values).toEqual(set.primes);
      if (!set.batching) return;
      expect(own(seal.PlainModulus.Batching(set.degree, 20)).value()).toBe(set.plainModulus);
    });
  });

  it.each(parameterSets)('makes one context for $name, with one parms_id per level', (set) => {
    const context = sealContext(set);
    expect(sealContext(set)).toBe(context);
    expect(context.parmsIds).toHaveLength(set.primes.length);
    const distinct = new Set(context.parmsIds.map((id) => Buffer.from(id).toString('hex')));
    expect(distinct.size).toBe(set.primes.length);
    for (const id of context.parmsIds) expect(id).toHaveLength(32);
  });

  it('refuses a set that claims a security it does not have', () => {
    const set = { ...parameterSet('insecure-bfv-1024'), secure: true };
    expect(() => sealContext(set)).toThrow(
      expect.objectContaining({ code: FheErrorCode.SEAL_PARAMETERS_MISMATCH }),
    );
  });

  it('refuses a set that batches although it says otherwise, and the other way round', () => {
    const batches = parameterSet('insecure-bfv-1024');
    for (const set of [
      { ...batches, batching: false },
      { ...batches, plainModulus: 120_835n },
      { ...batches, plainModulus: 1n << 32n },
    ]) {
      expect(() => sealContext(set)).toThrow(
        expect.objectContaining({
          code: FheErrorCode.SEAL_PARAMETERS_MISMATCH,
          metadata: { set: set.name, what: 'batching' },
        }),
      );
    }
  });
});

describe('withSeal', () => {
  it('frees what it owned, also when the work throws', () => {
    const plaintext = withSeal((own) => own(new seal.Plaintext()));
    expect(plaintext.isDeleted()).toBe(true);

    const owned: { isDeleted(): boolean }[] = [];
    expect(() =>
      withSeal((own) => {
        const object = own(new seal.Plaintext());
        owned.push(object);
        object.loadFromArray(sealContext(parameterSets[0]).handle, new Uint8Array(3));
      }),
    ).toThrow(expect.objectContaining({ code: FheErrorCode.SEAL_FAILED }));
    expect(owned.map((object) => object.isDeleted())).toEqual([true]);
  });
});
