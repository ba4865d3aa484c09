import { decodeFunctionResult, encodeFunctionResult, toFunctionSelector, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { audit } from '../../../../tasks/support/audit/audit.ts';
import { AuditErrorCode } from '../../../../tasks/support/audit/errors.ts';
import { epochOf, proposalOf } from '../../../../tasks/support/epochs.ts';
import { ClientErrorCode } from '../../../../tasks/support/errors.ts';
import type { Gateway } from '../../../../tasks/support/gateway.ts';
import { epochManagerAbi } from '../../../../workers/chain/abi.ts';
import { flipped, residuesOf, type Tampering } from './operators.ts';
import { World } from './world.ts';

let world: World;
let keyId: Hex;

beforeAll(async () => {
  world = await World.create(7);
  keyId = await world.key('first');
});

afterEach(() => {
  world.operators.tampering = {};
});

afterAll(() => world[Symbol.asyncDispose]());

test('seven operators: two that lie, or one that lies and one that is gone, are borne', async () => {
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

describe('an endpoint that leaves operators out makes no smaller committee', () => {
  /** Five signed shares are needed of seven operators; three would be of four. */
  const shortened = (name: 'epoch' | 'proposal'): Promise<Gateway> =>
    world.through(async (method, forward, params) => {
      const answer = await forward();
      const [call] = method === 'eth_call' ? (params as [{ data: Hex }]) : [];
      if (!call?.data.startsWith(toFunctionSelector(`${name}(bytes32)`))) return answer;
      const view = { abi: epochManagerAbi, functionName: name } as const;
      const found = decodeFunctionResult({ ...view, data: answer as Hex });
      const result = { ...found, operators: found.operators.slice(0, 4) };
      return encodeFunctionResult({ ...view, result });
    });

  test('to an auditor', async () => {
    await expect(audit(await shortened('epoch'), keyId)).rejects.toMatchObject({
      code: AuditErrorCode.CONTENT_MISMATCH,
    });
  });

  test('to a client', async () => {
    const { epochId } = world.simulation.session;
    const { proposalId } = await epochOf(world.gateway, epochId);
    const mismatch = { code: ClientErrorCode.RESULT_MISMATCH };
    await expect(epochOf(await shortened('epoch'), epochId)).rejects.toMatchObject(mismatch);
    await expect(proposalOf(await shortened('proposal'), proposalId)).rejects.toMatchObject(
      mismatch,
    );
  });
});
