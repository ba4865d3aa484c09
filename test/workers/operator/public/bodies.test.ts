import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import {
  askerOf,
  Bodies,
  defaultBodyLimits,
  type BodyLimits,
} from '../../../../workers/operator/public/bodies.ts';

const bodiesOf = (limits: Partial<BodyLimits>): Bodies =>
  new Bodies({ ...defaultBodyLimits, ...limits });

/** A request that brings these bytes, and then more when it is told to. */
function requestOf(bytes: number, isOpen = false): IncomingMessage {
  const body = new Readable({ read: () => undefined });
  body.push(Buffer.alloc(bytes));
  if (!isOpen) body.push(null);
  return Object.assign(body, { headers: {} }) as unknown as IncomingMessage;
}

describe('an asker', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:db8::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', ''],
  ])('at %s is %s', (address, asker) => {
    expect(askerOf(address)).toBe(asker);
  });
});

describe('bodies', () => {
  const code = (wanted: string) => ({ code: wanted });

  it('count for as long as they are worked on', async () => {
    const bodies = bodiesOf({ totalBytes: 10, bytesPerAddress: 6 });
    const { promise: worked, resolve } = Promise.withResolvers<void>();
    const first = bodies.hold(requestOf(5), 'a', 9, async (body) => {
      await worked;
      return body.length;
    });
    await new Promise(setImmediate);
    const idle = async (): Promise<void> => undefined;
    const second = bodies.hold(requestOf(2), 'a', 9, idle);
    await expect(second).rejects.toMatchObject(code(OperatorErrorCode.TOO_MANY_REQUESTS));
    const third = bodies.hold(requestOf(6), 'b', 9, idle);
    await expect(third).rejects.toMatchObject(code(OperatorErrorCode.OPERATOR_BUSY));
    resolve();
    expect(await first).toBe(5);
    await bodies.hold(requestOf(6), 'a', 9, idle);
    await bodies.hold(requestOf(6), 'b', 9, idle);
  });

  it('count while they arrive, but not for ever', async () => {
    const bodies = bodiesOf({ totalBytes: 10, bytesPerAddress: 6, arrivalMs: 1_000 });
    const slow = bodies.hold(requestOf(5, true), 'a', 9, async () => undefined);
    await new Promise(setImmediate);
    const idle = async (): Promise<void> => undefined;
    await expect(bodies.hold(requestOf(2), 'a', 9, idle)).rejects.toMatchObject(
      code(OperatorErrorCode.TOO_MANY_REQUESTS),
    );
    await expect(slow).rejects.toMatchObject(code(OperatorErrorCode.UPLOAD_TOO_SLOW));
    await bodies.hold(requestOf(6), 'a', 9, idle);
  });

  it('that are too long are not read on', async () => {
    const bodies = bodiesOf({});
    const idle = async (): Promise<void> => undefined;
    const long = bodies.hold(requestOf(10), 'a', 9, idle);
    await expect(long).rejects.toMatchObject(code(OperatorErrorCode.BLOB_TOO_LONG));
  });
});
