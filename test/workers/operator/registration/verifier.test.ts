import { afterEach, describe, expect, it } from 'vitest';

import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import {
  defaultVerifierLimits,
  Verifier,
  type VerifierLimits,
  type VerifierTask,
} from '../../../../workers/operator/registration/verifier.ts';

const script = new URL('./unruly-thread.ts', import.meta.url);
const { signal } = new AbortController();

const task = (conduct: number): VerifierTask => ({
  ...{ kind: 'encryption', set: 'none', n: 4, chainId: 1n, publicKey: new Uint8Array() },
  contract: '0x00000000000000000000000000000000000000c1',
  owner: '0x00000000000000000000000000000000000000b0',
  ciphertext: new Uint8Array(),
  proof: { kind: 'lattice', proof: Uint8Array.of(conduct) },
});

let verifier: Verifier;
const start = (limits: Partial<VerifierLimits> = {}): Verifier =>
  (verifier = new Verifier({ ...defaultVerifierLimits, ...limits }, script));

afterEach(() => verifier.close());

describe('a verifier', () => {
  it('has one thread for one task after the other', async () => {
    start();
    const tasks = [1, 2, 3].map(() => verifier.verify(task(0), { asker: 'a', signal }));
    expect((await Promise.all(tasks)).map(({ limbs }) => limbs)).toEqual([1, 2, 3]);
  });

  it('says why something is refused', async () => {
    const refused = start().verify(task(5), { asker: 'a', signal });
    await expect(refused).rejects.toMatchObject({
      code: OperatorErrorCode.PROOF_REFUSED,
      metadata: { cause: 'WRONG', at: 7 },
    });
  });

  it.each([
    ['ends the thread', 1],
    ['throws where nobody expects it', 3],
    ['fails', 4],
    ['takes too long', 2],
  ])('goes on in a new thread after a task that %s', async (_, conduct) => {
    start(conduct === 2 ? { taskMs: 5_000 } : {});
    expect(await verifier.verify(task(0), { asker: 'a', signal })).toMatchObject({ limbs: 1 });
    const failing = verifier.verify(task(conduct), { asker: 'a', signal });
    const next = verifier.verify(task(0), { asker: 'b', signal });
    const code = OperatorErrorCode.COMPUTATION_FAILED;
    await expect(failing).rejects.toMatchObject({ code });
    expect(await next).toMatchObject({ limbs: 1 });
  });

  it('turns away what there is no room for, but not what the chain asks for', async () => {
    start({ waiting: 1 });
    const running = verifier.verify(task(0), { asker: 'a', signal });
    const waiting = verifier.verify(task(0), { asker: 'a', signal });
    const code = OperatorErrorCode.OPERATOR_BUSY;
    const tooMany = verifier.verify(task(0), { asker: 'b', signal });
    await expect(tooMany).rejects.toMatchObject({ code });
    const urgent = verifier.verify(task(0), { signal });
    expect((await urgent).limbs).toBe(2);
    expect([(await running).limbs, (await waiting).limbs]).toEqual([1, 3]);
  });

  it('says how much waits, and for how long the oldest has', async () => {
    start();
    expect(verifier.queue).toMatchObject({ waiting: 0, taken: 0 });
    const running = verifier.verify(task(0), { asker: 'a', signal });
    const waiting = [{ asker: 'b', signal }, { signal }].map((asking) =>
      verifier.verify(task(0), asking),
    );
    const before = verifier.queue;
    expect(before).toMatchObject({ waiting: 2, taken: 1 });
    await running;
    expect(verifier.queue.oldestSeconds).toBeGreaterThan(before.oldestSeconds);
    await Promise.all(waiting);
    expect(verifier.queue).toMatchObject({ waiting: 0, taken: 0 });
  });

  it('drops what nobody waits for any more', async () => {
    start();
    const running = verifier.verify(task(0), { asker: 'a', signal });
    const gone = new AbortController();
    const abandoned = verifier.verify(task(0), { asker: 'a', signal: gone.signal });
    const last = verifier.verify(task(0), { asker: 'a', signal });
    gone.abort(new Error('gone'));
    await expect(abandoned).rejects.toThrow('gone');
    expect([(await running).limbs, (await last).limbs]).toEqual([1, 2]);
  });

  it('ends what is going on when it is closed', async () => {
    start();
    const tasks = [2, 0].map((conduct) => verifier.verify(task(conduct), { asker: 'a', signal }));
    const code = OperatorErrorCode.STOPPED;
    const ended = tasks.map((verified) => expect(verified).rejects.toMatchObject({ code }));
    await verifier.close();
    await Promise.all(ended);
    await expect(verifier.verify(task(0), { signal })).rejects.toMatchObject({ code });
  });
});
