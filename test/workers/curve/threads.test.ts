import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { CurveKernel } from '../../../workers/kernels/curve.ts';
import { readModule } from '../../../workers/kernels/loader.ts';
import { Curve } from '../../../workers/curve/curve.ts';
import { perform } from '../../../workers/curve/engine.ts';
import { CurveErrorCode } from '../../../workers/curve/errors.ts';
import { Pool } from '../../../workers/curve/pool.ts';
import { g1Generator, g2Generator } from '../../../workers/curve/points.ts';
import { one } from '../../../workers/curve/scalars.ts';
import type { Task } from '../../../workers/curve/tasks.ts';
import { little, r, seeded } from './support.ts';

function generators(count: number): Uint8Array<ArrayBuffer> {
  const points = new Uint8Array(count * g1Generator.length);
  for (let i = 0; i < count; i++) points.set(g1Generator, i * g1Generator.length);
  return points;
}

describe('the pool', () => {
  it('stops after the chunk during which it is told to', async () => {
    const curve = await Curve.start({ threads: 1 });
    const abort = new AbortController();
    const reason = new Error('enough');
    const progress: number[] = [];
    const work = curve.scaleByPowers('g1', generators(3 * 4096), one(), one(), {
      signal: abort.signal,
      onProgress: (done) => {
        progress.push(done);
        abort.abort(reason);
      },
    });
    await expect(work).rejects.toBe(reason);
    expect(progress).toEqual([4096]);
    await curve.close();
  });

  it('rejects what is not done when it is closed, and what comes after', async () => {
    const curve = await Curve.start({ threads: 1 });
    const work = [1, 2].map(() => curve.multiply('g1', g1Generator, one()));
    const rejected = work.map((promise) =>
      expect(promise).rejects.toMatchObject({ code: CurveErrorCode.CLOSED }),
    );
    await curve.close();
    await Promise.all(rejected);
    await expect(curve.multiply('g1', g1Generator, one())).rejects.toMatchObject({
      code: CurveErrorCode.CLOSED,
    });
  });

  it('rejects everything once a thread died', async () => {
    const pool = await Pool.start(2);
    const good: Task = { kind: 'validate', group: 'g1', points: generators(1) };
    const wrong = { kind: 'scale', group: 'g1', points: generators(1) } as unknown as Task;
    await expect(pool.run(wrong, [])).rejects.toMatchObject({
      code: CurveErrorCode.THREAD_DIED,
    });
    await expect(pool.run(good, [])).rejects.toMatchObject({ code: CurveErrorCode.THREAD_DIED });
    await pool.close();
  });
});

describe('the kernel', () => {
  const scalars = new Uint8Array(64);
  scalars.set(little(seeded('first') % r));
  scalars.set(little(seeded('ratio') % r), 32);
  const tasks: Task[] = [
    { kind: 'scale', group: 'g1', points: generators(9), scalars, skip: 5 },
    { kind: 'scale', group: 'g2', points: Uint8Array.from(g2Generator), scalars, skip: 0 },
    {
      kind: 'sum',
      group: 'g1',
      points: generators(3),
      coefficients: Uint8Array.from({ length: 48 }, (_, i) => i),
    },
    { kind: 'validate', group: 'g2', points: Uint8Array.from(g2Generator) },
  ];

  it('gives the same results with and without a fused multiply-add', () => {
    const portable = new CurveKernel(readModule('curve'));
    expect(portable.module.fuses()).toBe(1);
    for (const task of tasks) expect(perform(task, portable)).toEqual(perform(task));
  });

  it('leaves nothing of a task in its memory', () => {
    const kernel = new CurveKernel(readModule('curve-fast'));
    const everything = () => {
      const bytes = kernel.copyOut(0, 2 ** 32);
      const heap = kernel.module.mark();
      return { data: bytes.slice(0, heap), rest: bytes.subarray(heap) };
    };
    const { data } = everything();
    for (const task of tasks) {
      perform(task, kernel);
      const after = everything();
      expect(Buffer.compare(after.data, data)).toBe(0);
      expect(after.rest.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('has the constants that follow from the curve', () => {
    const script = new URL('../../../scripts/generate-curve.ts', import.meta.url).pathname;
    expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow();
  });
});
