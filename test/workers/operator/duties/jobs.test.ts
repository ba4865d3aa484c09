import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { OperatorError, OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { Jobs, type Job } from '../../../../workers/operator/duties/jobs.ts';
import { aborted, pause, unlessAborted } from '../../../../workers/operator/waiting.ts';
import { StoreError, StoreErrorCode } from '../../../../workers/store/errors.ts';
import { recordingLog, type LogLine } from '../harness.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

/** A job that counts its runs; `work` is what each does. */
function job(id: string, work: (signal: AbortSignal) => Promise<void> = aborted) {
  const runs: AbortSignal[] = [];
  const made: Job & { runs: AbortSignal[] } = {
    id,
    runs,
    run: (signal) => {
      runs.push(signal);
      return work(signal);
    },
  };
  return made;
}

function start() {
  const lines: LogLine[] = [];
  return { jobs: new Jobs(recordingLog(lines)), lines };
}

describe('jobs', () => {
  it('run what is new, stop what is no longer wanted and leave the rest alone', async () => {
    const { jobs } = start();
    const [a, b, c] = ['a', 'b', 'c'].map((id) => job(id));
    jobs.reconcile([a, b]);
    jobs.reconcile([b, c]);
    await settle();
    expect(a.runs).toHaveLength(1);
    expect(a.runs[0].aborted).toBe(true);
    expect(a.runs[0].reason).toMatchObject({ code: OperatorErrorCode.STOPPED });
    expect(b.runs.map((signal) => signal.aborted)).toEqual([false]);
    expect(c.runs.map((signal) => signal.aborted)).toEqual([false]);
    await jobs.stop();
  });

  it('run what is done again after a while, as long as it is wanted', async () => {
    const { jobs } = start();
    const a = job('a', async () => undefined);
    jobs.reconcile([a]);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(a.runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(a.runs).toHaveLength(2);
    jobs.reconcile([]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(a.runs).toHaveLength(2);
  });

  it('run what is done at once if it was unwanted in between', async () => {
    const { jobs } = start();
    const a = job('a', async () => undefined);
    jobs.reconcile([a]);
    await settle();
    jobs.reconcile([a]);
    await settle();
    expect(a.runs).toHaveLength(1);
    jobs.reconcile([]);
    jobs.reconcile([a]);
    await settle();
    expect(a.runs).toHaveLength(2);
    await jobs.stop();
  });

  it('are no failures where something that they need is stopped before them', async () => {
    const { jobs, lines } = start();
    const stopped = new OperatorError(OperatorErrorCode.STOPPED, 'the operator is shutting down');
    const a = job('a', async () => Promise.reject(stopped));
    const b = job('b', async () => Promise.reject(new Error('something else')));
    jobs.reconcile([a, b]);
    await settle();
    expect(lines.map(({ fields }) => fields['job'])).toEqual(['b']);
    await jobs.stop();
  });

  it('run what failed again after pauses that double, up to half a minute', async () => {
    const { jobs, lines } = start();
    const a = job('a', async () => Promise.reject(new TypeError('no luck')));
    jobs.reconcile([a]);
    await settle();
    const pauses = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [failures, pauseMs] of pauses.entries()) {
      expect(a.runs).toHaveLength(failures + 1);
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(a.runs).toHaveLength(failures + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(lines[0]).toMatchObject({ level: 'error', fields: { job: 'a', code: 'UNEXPECTED' } });
    await jobs.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('succeed after failures', async () => {
    const { jobs } = start();
    let failures = 2;
    const a = job('a', async () => {
      if (failures-- > 0) throw new TypeError('no luck');
    });
    jobs.reconcile([a]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.runs).toHaveLength(3);
    await jobs.stop();
  });

  it('do not repeat what another attempt cannot mend', async () => {
    const { jobs } = start();
    const errors = [
      new OperatorError(OperatorErrorCode.REQUEST_UNSERVABLE, ''),
      new StoreError(StoreErrorCode.OPENING_CONFLICT, ''),
    ];
    const hopeless = errors.map((error) => job(error.code, () => Promise.reject(error)));
    jobs.reconcile(hopeless);
    await vi.advanceTimersByTimeAsync(120_000);
    jobs.reconcile(hopeless);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(hopeless.map(({ runs }) => runs.length)).toEqual([1, 1]);
  });

  it('start what is wanted again while it stops, once it has stopped', async () => {
    const { jobs } = start();
    const cleanUp = Promise.withResolvers<void>();
    const a = job('a', async (signal) => {
      await aborted(signal).catch(() => undefined);
      await cleanUp.promise;
      signal.throwIfAborted();
    });
    jobs.reconcile([a]);
    jobs.reconcile([]);
    jobs.reconcile([a]);
    await settle();
    expect(a.runs).toHaveLength(1);
    cleanUp.resolve();
    await settle();
    expect(a.runs.map((signal) => signal.aborted)).toEqual([true, false]);
    const end = jobs.stop();
    await settle();
    await end;
  });

  it('do not run again what is unwanted during its pause', async () => {
    const { jobs } = start();
    const a = job('a', async () => Promise.reject(new TypeError('no luck')));
    jobs.reconcile([a]);
    await settle();
    jobs.reconcile([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(a.runs).toHaveLength(1);
  });

  it('have all ended when they are stopped, and can be asked for anew', async () => {
    const { jobs } = start();
    const ended: string[] = [];
    const a = job('a', async (signal) => {
      await aborted(signal).finally(() => ended.push('a'));
    });
    const b = job('b', async () => undefined);
    jobs.reconcile([a, b]);
    await settle();
    await jobs.stop();
    expect(ended).toEqual(['a']);
    jobs.reconcile([a, b]);
    expect([a.runs.length, b.runs.length]).toEqual([2, 2]);
    await jobs.stop();
  });
});

describe('waiting', () => {
  it('ends with the time or with the signal, and leaves no timer', async () => {
    const stop = new AbortController();
    const long = pause(1_000, stop.signal);
    const short = pause(10, stop.signal);
    await vi.advanceTimersByTimeAsync(10);
    await short;
    stop.abort('over');
    await expect(long).rejects.toBe('over');
    await expect(pause(1, stop.signal)).rejects.toBe('over');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('for work ends with the work or with the signal', async () => {
    const stop = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), stop.signal)).toBe(1);
    await expect(unlessAborted(Promise.reject(new TypeError()), stop.signal)).rejects.toThrow(
      TypeError,
    );
    const endless = aborted(stop.signal);
    stop.abort('over');
    await expect(endless).rejects.toBe('over');
    await expect(unlessAborted(Promise.resolve(1), stop.signal)).rejects.toBe('over');
  });
});
