import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  SetKey,
  selectPositions,
  streamAt,
  streamStart,
} from '../../../workers/sharing/expander.ts';
import vectors from '../../vectors/sharing.json' with { type: 'json' };
import { hexBytes, sha256, stream, toHex } from './reference.ts';
import type { Hex } from 'viem';

const key = sha256(Buffer.from('set key'));
const item = sha256(Buffer.from('item'));

describe('expander', () => {
  it.each(vectors.expander)('reproduces the stream of vector $itemId', (vector) => {
    const streamKey = new SetKey(hexBytes(vector.setKey as Hex)).streamKey(
      hexBytes(vector.itemId as Hex),
    );
    const expected = hexBytes(vector.bytes as Hex);
    const whole = streamStart(streamKey, vector.from + expected.length);
    expect(toHex(whole.subarray(vector.from))).toBe(vector.bytes);
  });

  it('is HMAC and CTR as Node has them, also when called again and for another item', () => {
    const setKey = new SetKey(key);
    const other = sha256(Buffer.from('other item'));
    for (const id of [item, other, item]) {
      for (const length of [1, 16, 4096, 100]) {
        const ours = Buffer.from(streamStart(setKey.streamKey(id), length));
        expect(ours.equals(stream(key, id, 0, length))).toBe(true);
      }
    }
  });

  it.each([4, 6, 8, 12, 16, 20, 28])('seeks to any coefficient of %i bytes', (width) => {
    const streamKey = new SetKey(key).streamKey(item);
    const whole = streamStart(streamKey, 4096 * width);
    const lists = [
      [0],
      [4095],
      [0, 1],
      [5, 3, 5, 2],
      [4095, 0, 2048, 1, 2047],
      [...Array(300).keys()].map((k) => (k * 1667) % 4096),
    ];
    for (const positions of lists) {
      const selection = selectPositions(Uint32Array.from(positions), width);
      const expected = positions.map((p) => whole.subarray(p * width, (p + 1) * width));
      expect(Buffer.from(streamAt(streamKey, selection)).equals(Buffer.concat(expected))).toBe(
        true,
      );
    }
  });

  it('computes only the blocks it needs', () => {
    expect(selectPositions(Uint32Array.of(0, 1000), 16).counterBlocks).toHaveLength(32);
    expect(selectPositions(Uint32Array.of(0, 1, 2), 4).counterBlocks).toHaveLength(16);
  });

  it('counts blocks beyond 32 bits like the counter of CTR', () => {
    const { counterBlocks } = selectPositions(Uint32Array.of(0xffff_ffff), 32);
    const first = 0xffff_ffffn * 2n;
    const blocks = [first, first + 1n].map((block) => block.toString(16).padStart(32, '0'));
    expect(Buffer.from(counterBlocks).toString('hex')).toBe(blocks.join(''));
  });

  it('shows no key to an inspector', () => {
    const setKey = new SetKey(key);
    expect(inspect(setKey, { depth: 9, showHidden: true })).not.toContain('Buffer');
    expect(JSON.stringify(setKey)).toBe('{}');
  });

  it('has another stream once erased', () => {
    const setKey = new SetKey(key);
    setKey.erase();
    const erased = Buffer.from(streamStart(setKey.streamKey(item), 16));
    expect(erased.equals(stream(key, item, 0, 16))).toBe(false);
  });
});
