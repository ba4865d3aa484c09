import { describe, expect, it } from 'vitest';

import { NetErrorCode } from '../../../../workers/net/errors.ts';
import { FrameGuard, streamWindowBytes } from '../../../../workers/net/host/frame-guard.ts';
import { defaultLimits } from '../../../../workers/net/limits.ts';

const { frameRate, pingRate, streamRate } = defaultLimits;

const data = 0;
const windowUpdate = 1;
const ping = 2;
const syn = 1;
const fin = 4;
const rst = 8;

function frame(type: number, flags: number, stream: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === data && length <= 1 << 20 ? length : 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(1, type);
  view.setUint16(2, flags);
  view.setUint32(4, stream);
  view.setUint32(8, length);
  return bytes;
}

function inspectAll(frames: readonly Uint8Array[]): unknown {
  const guard = new FrameGuard(1, defaultLimits, () => 0);
  for (const bytes of frames) {
    const error = guard.inspect(bytes);
    if (error !== undefined) return error;
  }
  return undefined;
}

const abused = expect.objectContaining({
  code: NetErrorCode.connectionAbused,
  verdict: 'accuse',
}) as unknown;

describe('frame guard', () => {
  const honest = [
    frame(ping, syn, 0, 7),
    frame(windowUpdate, syn, 1, 0),
    frame(data, 0, 1, 100),
    frame(windowUpdate, fin, 1, 0),
    frame(windowUpdate, 0, 1, 100_000),
    frame(data, syn, 3, 10),
    frame(windowUpdate, rst, 3, 0),
    frame(data, 0, 2, streamWindowBytes),
    frame(data, fin, 2, streamWindowBytes),
  ];

  it('lets honest frames pass, however they are cut', () => {
    const bytes = Buffer.concat(honest);
    for (const size of [1, 5, 12, 13, 4096, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(inspectAll(pieces)).toBeUndefined();
    }
  });

  it.each([
    ['a frame longer than the window', [frame(data, 0, 2, streamWindowBytes + 1)]],
    ['a frame of 4 GiB', [frame(data, syn, 1, 0xffffffff)]],
    ['a long question', [frame(windowUpdate, syn, 1, 0), frame(data, 0, 1, 4097)]],
    [
      'a question that never ends',
      [frame(data, syn, 1, 4096), frame(windowUpdate, 0, 1, 5), frame(data, 0, 1, 1)],
    ],
    ['data after the end', [frame(data, syn | fin, 1, 1), frame(data, 0, 1, 1)]],
    ['data on a stream never opened', [frame(data, 0, 5, 1)]],
    ['a stream opened again', [frame(data, syn | fin, 1, 1), frame(data, syn, 1, 1)]],
    [
      'streams opened without end',
      Array.from({ length: 5000 }, (_, index) => frame(windowUpdate, syn, 2 * index + 1, 0)),
    ],
    ['a window larger than the window', [frame(windowUpdate, 0, 2, streamWindowBytes + 1)]],
    ['pings without end', Array.from({ length: pingRate.burst + 1 }, () => frame(ping, syn, 0, 1))],
    [
      'streams opened and reset without end',
      Array.from({ length: streamRate.burst + 1 }, (_, index) => [
        frame(windowUpdate, syn, 2 * index + 1, 0),
        frame(windowUpdate, rst, 2 * index + 1, 0),
      ]).flat(),
    ],
    [
      'frames without end',
      Array.from({ length: frameRate.burst + 1 }, () => frame(windowUpdate, 0, 2, 1)),
    ],
  ])('catches %s', (_, frames) => {
    expect(inspectAll(frames)).toEqual(abused);
  });

  it('keeps no trace of streams that the peer has ended', () => {
    const frames = Array.from({ length: streamRate.burst }, (_, index) => [
      frame(data, syn, 2 * index + 1, 70),
      frame(windowUpdate, index % 2 === 0 ? fin : rst, 2 * index + 1, 0),
    ]).flat();
    const guard = new FrameGuard(1, defaultLimits, () => 0);
    for (const bytes of frames) expect(guard.inspect(bytes)).toBeUndefined();
    expect(guard.openStreams).toBe(0);
  });
});
