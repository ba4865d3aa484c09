import { describe, expect, it } from 'vitest';

import {
  activePeers,
  decodeSetKeys,
  encodeSetKeys,
  signerOf,
} from '../../../../workers/operator/committee/seat.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { signerAccount, startCommittee } from '../harness.ts';

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

describe('set keys', () => {
  it('are the number and the key of each set, ascending', () => {
    const bytes = encodeSetKeys(new Map([[0x02bb, key(2)]]).set(1, key(1)));
    const expected = `0100${'01'.repeat(32)}bb02${'02'.repeat(32)}`;
    expect(Buffer.from(bytes).toString('hex')).toBe(expected);
  });

  it('come back as they were, in memory of their own', () => {
    const keys = new Map(Array.from({ length: 495 }, (_, at) => [at, key(at % 256)]));
    const bytes = encodeSetKeys(keys);
    const decoded = decodeSetKeys(bytes);
    expect(decoded).toEqual(keys);
    bytes.fill(0);
    expect(decoded.get(3)).toEqual(key(3));
  });
});

describe('a seat', () => {
  it('knows the signers by index and the peers that are still asked', async () => {
    const seat = (await startCommittee(4)).at(2).seat();
    expect(signerOf(seat, 1)).toBe(signerAccount(1).address);
    expect(signerOf(seat, 4)).toBe(signerAccount(4).address);
    for (const index of [0, 5, 1.5]) {
      const code = SharingErrorCode.INDEX_OUT_OF_RANGE;
      expect(() => signerOf(seat, index)).toThrow(expect.objectContaining({ code }));
    }
    expect(activePeers(seat).map(({ index }) => index)).toEqual([1, 3, 4]);
    seat.setAside.add(3);
    expect(activePeers(seat).map(({ index }) => index)).toEqual([1, 4]);
  });
});
