import { describe, expect, it } from 'vitest';

import { KeyShares } from '../../../../workers/operator/committee/key-shares.ts';
import { secretName } from '../../../../workers/operator/committee/seat.ts';
import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { describe as describeKey, share } from '../../../../workers/protocols/key-generation.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { digestOf } from '../fake-chain.ts';
import { startCommittee } from '../harness.ts';

const set = parameterSet('insecure-bfv-1024');
const keyId = digestOf('key');

/** An operator with a seat, and the share of a key that it should have. */
async function start() {
  const operator = (await startCommittee(4)).at(1);
  const seat = operator.seat();
  const { keyShare } = share(describeKey(seat.session, { keyId, set }), seat.randomness);
  return { ...operator, seat, store: operator.context.store, expected: keyShare };
}

const name = secretName.keyShare(keyId, 0);

describe('a share of a key', () => {
  it('comes back from the disk as it was generated', async () => {
    const { seat, store, keyShares, expected } = await start();
    keyShares.keep(keyId, expected);
    expect(new KeyShares(store).get(seat, keyId, set)).toEqual(expected);
  });

  it('is not used, ever, if the one on the disk is another than the set keys give', async () => {
    const { seat, store, expected } = await start();
    const { generation, ntt } = expected;
    const coefficients = expected.coefficients.slice();
    coefficients[5] ^= 1n;
    const keyShares = new KeyShares(store);
    keyShares.keep(keyId, { generation, ntt, coefficients });
    const damaged = { code: OperatorErrorCode.KEY_SHARE_DAMAGED };
    for (let attempt = 0; attempt < 2; attempt++)
      expect(() => keyShares.get(seat, keyId, set)).toThrow(expect.objectContaining(damaged));
  });

  it('is derived and kept by an operator that was away', async () => {
    const { seat, store, keyShares, expected } = await start();
    expect(store.secrets.has(name)).toBe(false);
    expect(keyShares.get(seat, keyId, set)).toEqual(expected);
    expect(store.secrets.get(name)).toEqual(new Uint8Array(expected.coefficients.buffer));
  });

  it.each(['ntt', 'coefficients'] as const)(
    'is not used once a bit of it has changed in memory (%s), and comes from the disk then',
    async (form) => {
      const { seat, keyShares, expected } = await start();
      keyShares.get(seat, keyId, set)[form][set.degree] ^= 1n << 20n;
      const damaged = { code: OperatorErrorCode.KEY_SHARE_DAMAGED };
      expect(() => keyShares.get(seat, keyId, set)).toThrow(expect.objectContaining(damaged));
      expect(keyShares.get(seat, keyId, set)).toEqual(expected);
    },
  );

  it('is gone from memory and disk when it is erased', async () => {
    const { seat, store, keyShares } = await start();
    keyShares.get(seat, keyId, set);
    keyShares.erase(keyId);
    expect(store.secrets.list('key/')).toEqual([]);
    seat.randomness.erase();
    expect(() => keyShares.get(seat, keyId, set)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.SET_KEYS_ERASED }),
    );
  });

  it('is read from the disk again when many others were used since', async () => {
    const { seat, store, keyShares, expected } = await start();
    keyShares.get(seat, keyId, set);
    for (let other = 0; other < 16; other++) keyShares.get(seat, digestOf(`key ${other}`), set);
    expect(keyShares.get(seat, keyId, set)).toEqual(expected);
    // Of what is in memory the disk is not asked.
    store.secrets.deleteAll('key/');
    seat.randomness.erase();
    expect(keyShares.get(seat, keyId, set)).toEqual(expected);
  });
});
