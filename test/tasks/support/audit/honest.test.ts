import { afterAll, beforeAll, expect, test } from 'vitest';
import { concat, toHex, type Hex } from 'viem';

import { audit } from '../../../../tasks/support/audit/audit.ts';
import { SET, World } from './world.ts';

let world: World;
let keyId: Hex;
let handles: Hex[];

beforeAll(async () => {
  world = await World.create();
  keyId = await world.key('first');
  handles = [
    await world.ciphertext(keyId, { scalar: 42n }),
    await world.ciphertext(keyId, { slots: [1n, 2n, 3n] }),
  ];
});

afterAll(() => world[Symbol.asyncDispose]());

/** What an audit finds where everybody is honest and everything there. */
const confirmed = (items: number, openings: number) => ({
  failure: undefined,
  signers: [1, 2, 3],
  areSignaturesChecked: true,
  openings,
  items: Array.from({ length: items }, () => ({ failure: undefined })),
  operators: [1, 2, 3, 4].map((index) => ({
    ...{ index, shares: openings, silence: undefined },
    ...{ missing: [], faulty: [], equivocations: [], refused: [] },
  })),
});

const DIGITS = SET.primes.length - 1;

test('a public key follows', async () => {
  expect(await audit(world.gateway, keyId)).toMatchObject({
    ...confirmed(1, 1),
    asked: { kind: 'public-key', keyId },
  });
});

test('a relinearization key follows', async () => {
  const id = await world.evaluationKeys({ kind: 'relinearization', keyId });
  const report = await audit(world.gateway, id);
  expect(report).toMatchObject(confirmed(1, 2 * DIGITS));
  expect(report.items[0].replayed).toBe(report.items[0].recorded);
});

test('Galois keys follow, element by element', async () => {
  const id = await world.evaluationKeys({ kind: 'galois', keyId, elements: [3, 2047] });
  const texts: string[] = [];
  const report = await audit(world.gateway, id, { onProgress: (text) => texts.push(text) });
  expect(report).toMatchObject(confirmed(2, 2 * DIGITS));
  expect(report.items.map(({ what }) => what)).toEqual([
    'Galois key of element 3',
    'Galois key of element 2047',
  ]);
  expect(texts.at(-1)).toBe(`replaying part ${2 * DIGITS} of ${2 * DIGITS}`);
});

test('a switching key follows', async () => {
  const targetKeyId = await world.key('second');
  const id = await world.evaluationKeys({ kind: 'switching', keyId, targetKeyId });
  expect(await audit(world.gateway, id)).toMatchObject(confirmed(1, DIGITS));
});

test('a public decryption of positions follows, all ciphertexts in one opening', async () => {
  const scalars = [handles[0], await world.ciphertext(keyId, { scalar: 43n })];
  const worked = await world.decryptPublicly(keyId, scalars, [0, 7]);
  await world.respond(worked);
  const report = await audit(world.gateway, worked.requestId);
  expect(report).toMatchObject(confirmed(1, 1));
  const [{ what, recorded }] = report.items;
  expect(what).toBe('2 ciphertexts');
  const values = [42n, 0n, 43n, 0n].map((value) => toHex(value, { size: 8 }));
  expect(recorded).toBe(concat(values));
});

test('a public decryption of all coefficients follows', async () => {
  const worked = await world.decryptPublicly(keyId, handles, []);
  await world.respond(worked);
  expect(await audit(world.gateway, worked.requestId)).toMatchObject(confirmed(2, 2));
});

test('a user decryption in full follows', async () => {
  const worked = await world.decryptForUser(keyId, handles, false);
  await world.respond(worked);
  expect(await audit(world.gateway, worked.requestId)).toMatchObject(confirmed(2, 4));
});

test('a packed user decryption follows', async () => {
  const worked = await world.decryptForUser(keyId, handles, true);
  await world.respond(worked);
  expect(await audit(world.gateway, worked.requestId)).toMatchObject(confirmed(1, 2));
});
