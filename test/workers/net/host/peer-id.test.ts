import { describe, expect, it } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import {
  generatePeerKey,
  peerIdFromBytes,
  peerIdOf,
  peerIdToBytes,
} from '../../../../workers/net/host/index.ts';
import { seededBytes } from '../support.ts';

const peerId = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8';

describe('peer ids', () => {
  it('converts between text and the registered bytes', () => {
    const bytes = peerIdToBytes(peerId);
    expect(bytes.length).toBe(38);
    expect([...bytes.subarray(0, 6)]).toEqual([0, 36, 8, 1, 18, 32]);
    expect(peerIdFromBytes(bytes)).toBe(peerId);
  });

  it('derives the id of a generated key', async () => {
    const key = await generatePeerKey();
    expect(peerIdFromBytes(peerIdToBytes(peerIdOf(key)))).toBe(peerIdOf(key));
    expect(peerIdOf(await generatePeerKey())).not.toBe(peerIdOf(key));
  });

  it.each([
    ['empty', ''],
    ['not base58', '1lO0'],
    ['an RSA id', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'],
    [
      'the same peer in another encoding',
      'k51qzi5uqu5dkwkqm42v9j9kqcam2jiuvloi16g72i4i4amoo2m8u3ol3mqu6s',
    ],
    ['truncated', peerId.slice(0, -1)],
    ['with a space', `${peerId} `],
  ])('refuses text that is %s', (_, text) => {
    expect(() => peerIdToBytes(text)).toThrow(
      expect.objectContaining({ code: NetErrorCode.peerIdInvalid }),
    );
  });

  it('refuses bytes that are not the multihash of an Ed25519 key', () => {
    const bytes = peerIdToBytes(peerId);
    const wrong = [
      new Uint8Array(0),
      bytes.subarray(1),
      Uint8Array.of(...bytes, 0),
      ...[0, 1, 2, 3, 4, 5].map((index) =>
        bytes.map((byte, at) => (at === index ? byte ^ 1 : byte)),
      ),
      seededBytes('peer id', 38),
    ];
    for (const candidate of wrong) {
      expect(() => peerIdFromBytes(candidate)).toThrow(
        expect.objectContaining({ code: NetErrorCode.peerIdInvalid }),
      );
    }
  });

  it('refuses keys that are not protobuf-encoded Ed25519, and never quotes them', () => {
    for (const key of [new Uint8Array(0), seededBytes('key', 32), seededBytes('key', 68)]) {
      let thrown: unknown;
      try {
        peerIdOf(key);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: NetErrorCode.keyInvalid, metadata: {} });
      expect((thrown as Error).cause).toBeUndefined();
    }
  });
});
