import { expect, test } from 'vitest';

import { audit } from '../../../../tasks/support/audit/audit.ts';
import { AuditErrorCode } from '../../../../tasks/support/audit/errors.ts';
import { flipped, residuesOf, type Tampering } from './operators.ts';
import { World } from './world.ts';

test('seven operators: two that lie, or one that lies and one that is gone, are borne', async () => {
  await using world = await World.create(7);
  const keyId = await world.key('first');
  const { operators, gateway } = world;
  const lying =
    (...liars: number[]): NonNullable<Tampering['share']> =>
    async ({ index, openingId }, honest) =>
      liars.includes(index)
        ? operators.signed(index, openingId, residuesOf(flipped(honest, 1234)))
        : honest;

  operators.tampering = { share: lying(2, 7) };
  const two = await audit(gateway, keyId);
  expect(two.failure).toBe(undefined);
  expect(two.operators.map(({ faulty }) => faulty.length)).toEqual([0, 1, 0, 0, 0, 0, 1]);

  const one = lying(2);
  operators.tampering = {
    share: async (place, honest) => (place.index === 5 ? undefined : one(place, honest)),
  };
  expect((await audit(gateway, keyId)).failure).toBe(undefined);

  operators.tampering = { share: lying(1, 2, 7) };
  expect((await audit(gateway, keyId)).failure?.code).toBe(AuditErrorCode.SHARES_DISAGREE);
});
