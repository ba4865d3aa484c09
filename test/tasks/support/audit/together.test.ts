import { bytesToHex, hexToBytes, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { audit } from '../../../../tasks/support/audit/audit.ts';
import { AuditErrorCode } from '../../../../tasks/support/audit/errors.ts';
import { flipped, residuesOf, type ServingOperators, type Tampering } from './operators.ts';
import { World, type Worked } from './world.ts';

/** Listed coefficients of all ciphertexts of a request have one opening. */
const POSITIONS = [0, 1, 2];

let world: World;
let operators: ServingOperators;
let keyId: Hex;
let handles: Hex[];
let requestId: Hex;
let openingId: Hex;
/** The last residue, which is of the second ciphertext. */
let last: number;

beforeAll(async () => {
  world = await World.create();
  ({ operators } = world);
  keyId = await world.key('first');
  handles = [
    await world.ciphertext(keyId, { scalar: 42n }),
    await world.ciphertext(keyId, { scalar: 43n }),
  ];
  const { worked, opened } = await decrypted(handles);
  await world.respond(worked);
  ({ requestId } = worked);
  expect(opened).toHaveLength(1);
  [openingId] = opened;
  last = residuesOf(operators.shares.get(openingId)!.get(1)!).length - 1;
});

afterEach(() => {
  operators.tampering = {};
});

afterAll(() => world[Symbol.asyncDispose]());

/** A decryption whose result is not on chain yet, and the openings that nothing took before it. */
async function decrypted(of: readonly Hex[]): Promise<{ worked: Worked; opened: Hex[] }> {
  const before = new Set(operators.shares.keys());
  const worked = await world.decryptPublicly(keyId, of, POSITIONS);
  const opened = [...operators.shares.keys()].filter((id) => !before.has(id));
  return { worked, opened };
}

const audited = (share: NonNullable<Tampering['share']>) => {
  operators.tampering = { share };
  return audit(world.gateway, requestId);
};

const signedWrongAtLast =
  (...liars: number[]): NonNullable<Tampering['share']> =>
  async ({ index }, honest) =>
    liars.includes(index)
      ? operators.signed(index, openingId, residuesOf(flipped(honest, last)))
      : honest;

test('a lie about the last number convicts its operator, and the result follows', async () => {
  const { failure, operators: findings } = await audited(signedWrongAtLast(3));
  expect(failure).toBe(undefined);
  const faulty = findings.map((of) => of.faulty.map((evidence) => evidence.openingId));
  expect(faulty).toEqual([[], [], [openingId], []]);
  expect(findings.map(({ shares }) => shares)).toEqual([1, 1, 1, 1]);
});

test('lies of more than t about one number leave nothing of any to believe', async () => {
  const { failure, items, openings } = await audited(signedWrongAtLast(1, 2));
  expect(failure?.code).toBe(AuditErrorCode.SHARES_DISAGREE);
  expect(failure?.metadata.openingId).toBe(openingId);
  expect(items.map(({ replayed }) => replayed)).toEqual([undefined]);
  expect(openings).toBe(0);
});

test('shares of the same ciphertexts in another order are none of these', async () => {
  const { opened } = await decrypted(handles.toReversed());
  const reversed = operators.shares.get(opened[0])!;
  const { failure, operators: findings } = await audited(async ({ index }, honest) =>
    index <= 2 ? reversed.get(index) : honest,
  );
  expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  expect(failure?.metadata).toEqual({ openingId, signed: '3,4', missing: '1,2' });
  const refused = findings[2].refused.map(({ index, reason }) => [index, reason]);
  expect(refused).toEqual([
    [1, 'SIGNATURE'],
    [2, 'SIGNATURE'],
  ]);
});

test('a last number that was recorded wrong is found', async () => {
  const { worked } = await decrypted(handles);
  const wrong = hexToBytes(worked.result);
  wrong[wrong.length - 1] ^= 1;
  await world.respond({ ...worked, result: bytesToHex(wrong) });
  const { failure, items } = await audit(world.gateway, worked.requestId);
  expect(failure?.code).toBe(AuditErrorCode.RESULT_DIFFERS);
  expect(items.map(({ replayed }) => replayed)).toEqual([worked.result]);
});
