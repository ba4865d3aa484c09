import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keccak256, toHex, type Hex } from 'viem';

import { audit } from '../../../../tasks/support/audit/audit.ts';
import { AuditErrorCode } from '../../../../tasks/support/audit/errors.ts';
import type { OperatorFindings } from '../../../../tasks/support/audit/findings.ts';
import {
  flipped,
  residuesOf,
  signatureOf,
  type Place,
  type ServingOperators,
  type Tampering,
} from './operators.ts';
import { World } from './world.ts';

let world: World;
let operators: ServingOperators;
/** A decryption of all coefficients of two ciphertexts: an opening of each. */
let requestId: Hex;
let openings: Hex[];

beforeAll(async () => {
  world = await World.create();
  ({ operators } = world);
  const keyId = await world.key('first');
  const before = operators.shares.size;
  const handles = [
    await world.ciphertext(keyId, { scalar: 42n }),
    await world.ciphertext(keyId, { scalar: 43n }),
  ];
  const worked = await world.decryptPublicly(keyId, handles, []);
  await world.respond(worked);
  ({ requestId } = worked);
  openings = [...operators.shares.keys()].slice(before);
});

afterEach(() => {
  operators.tampering = {};
});

afterAll(() => world[Symbol.asyncDispose]());

const audited = (tampering: Tampering) => {
  operators.tampering = tampering;
  return audit(world.gateway, requestId);
};

/** Serves what `change` makes of the shares in the first opening that `where` chooses. */
const inFirstOpening = (
  where: (place: Place) => boolean,
  change: (place: Place, honest: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array>,
): Tampering => ({
  share: async (place, honest) =>
    place.openingId === openings[0] && where(place) ? change(place, honest) : honest,
});

/** The operator signs a share with one residue flipped, and everybody has it so. */
const signedWrong = (...liars: number[]): Tampering =>
  inFirstOpening(
    ({ index }) => liars.includes(index),
    ({ index, openingId }, honest) =>
      operators.signed(index, openingId, residuesOf(flipped(honest))),
  );

/** What is said against operators, by index; those with nothing against them are left out. */
const against = (findings: readonly OperatorFindings[]) =>
  Object.fromEntries(
    findings
      .map(({ index, missing, faulty, equivocations, refused }): [number, object] => [
        index,
        {
          ...(missing.length > 0 && { missing }),
          ...(faulty.length > 0 && { faulty: faulty.map(({ openingId }) => openingId) }),
          ...(equivocations.length > 0 && { equivocations: equivocations.length }),
          ...(refused.length > 0 && {
            refused: refused.map(({ index: of, reason }) => [of, reason]),
          }),
        },
      ])
      .filter(([, said]) => Object.keys(said).length > 0),
  );

describe('a flipped residue', () => {
  test('in one copy is not used, and another copy is', async () => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(
        ({ index, holder }) => index === 2 && holder === 2,
        (_, honest) => flipped(honest),
      ),
    );
    expect(failure).toBe(undefined);
    expect(against(findings)).toEqual({ 2: { refused: [[2, 'SIGNATURE']] } });
  });

  test.each([0, 1, 3071])(
    'in every copy of one share, at %i, leaves 2t+1 others',
    async (residue) => {
      const { failure, operators: findings } = await audited(
        inFirstOpening(
          ({ index }) => index === 2,
          (_, honest) => flipped(honest, residue),
        ),
      );
      expect(failure).toBe(undefined);
      const refused = [[2, 'SIGNATURE']];
      expect(against(findings)).toEqual({
        ...{ 1: { refused }, 2: { missing: [openings[0]], refused } },
        ...{ 3: { refused }, 4: { refused } },
      });
    },
  );

  test('in every copy of more than t shares leaves too few', async () => {
    const {
      failure,
      items,
      openings: opened,
    } = await audited(
      inFirstOpening(
        ({ index }) => index <= 2,
        (_, honest) => flipped(honest),
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
    expect(failure?.metadata).toEqual({ openingId: openings[0], signed: '3,4', missing: '1,2' });
    // The other ciphertext is looked at all the same.
    expect(items.map(({ replayed }) => replayed !== undefined)).toEqual([false, true]);
    expect(opened).toBe(1);
  });

  test('that its operator signed convicts the operator, and nothing else changes', async () => {
    const { failure, operators: findings } = await audited(signedWrong(3));
    expect(failure).toBe(undefined);
    expect(against(findings)).toEqual({ 3: { faulty: [openings[0]] } });
    const served = operators.shares.get(openings[0])!.get(3)!;
    const lie = await operators.signed(3, openings[0], residuesOf(flipped(served)));
    expect(findings[2].faulty[0].commitment.signature).toBe(signatureOf(lie));
  });

  test('that more than t signed leaves nothing to believe', async () => {
    const { failure, operators: findings } = await audited(signedWrong(1, 2));
    expect(failure?.code).toBe(AuditErrorCode.SHARES_DISAGREE);
    expect(failure?.metadata).toEqual({
      ...{ openingId: openings[0], signed: '1,2,3,4', missing: '' },
    });
    // Who lies cannot be told.
    expect(against(findings)).toEqual({});
  });
});

test('a wrong share and a missing one do not prove that more than t are corrupt', async () => {
  const wrong = signedWrong(1);
  const { failure } = await audited({
    share: async (place, honest) => (place.index === 4 ? undefined : wrong.share!(place, honest)),
  });
  expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  expect(failure?.metadata).toMatchObject({ signed: '1,2,3', missing: '4' });
});

describe('a signature', () => {
  const signedLike = (other: number, openingId?: Hex) => (place: Place, honest: Uint8Array) => {
    const from = operators.shares.get(openingId ?? place.openingId)!.get(other)!;
    const bytes = honest.slice();
    bytes.set(from.subarray(0, 65));
    return bytes;
  };

  test('of another operator is no signature', async () => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(({ index }) => index === 4, signedLike(1)),
    );
    expect(failure).toBe(undefined);
    expect(against(findings)[4]).toEqual({
      missing: [openings[0]],
      refused: [[4, 'SIGNATURE']],
    });
  });

  test('that one operator makes for another is none of that other', async () => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(
        ({ index }) => index === 4,
        ({ openingId }, honest) => operators.signed(1, openingId, residuesOf(flipped(honest))),
      ),
    );
    expect(failure).toBe(undefined);
    expect(against(findings)[4]).toEqual({
      missing: [openings[0]],
      refused: [[4, 'SIGNATURE']],
    });
  });

  test('swapped between two operators leaves too few', async () => {
    const { failure } = await audited(
      inFirstOpening(
        ({ index }) => index >= 3,
        (place, honest) => signedLike(7 - place.index)(place, honest),
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
    expect(failure?.metadata.missing).toBe('3,4');
  });

  test('of the same operator for another opening is none for this one', async () => {
    const { failure } = await audited(
      inFirstOpening(
        ({ index }) => index >= 3,
        (place, honest) => signedLike(place.index, openings[1])(place, honest),
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  });

  test('in a second byte form is none', async () => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(
        ({ index }) => index === 1,
        (_, honest) => {
          const bytes = honest.slice();
          bytes[64] -= 27;
          return bytes;
        },
      ),
    );
    expect(failure).toBe(undefined);
    expect(against(findings)[1]).toMatchObject({ missing: [openings[0]] });
  });
});

test('a whole share of another opening, rightly signed, is none of this one', async () => {
  const { failure, operators: findings } = await audited(
    inFirstOpening(
      ({ index }) => index === 1 || index === 2,
      ({ index }) => operators.shares.get(openings[1])!.get(index),
    ),
  );
  expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  expect(failure?.metadata.missing).toBe('1,2');
  expect(against(findings)[3]).toEqual({
    refused: [
      [1, 'SIGNATURE'],
      [2, 'SIGNATURE'],
    ],
  });
});

describe('another epoch', () => {
  const elsewhere = keccak256(toHex('elsewhere'));

  test('in the lists leaves nothing to ask for', async () => {
    const { failure, operators: findings } = await audited({ epochId: elsewhere });
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
    expect(findings[0].refused).toEqual(
      openings.map((openingId) => ({ openingId, index: undefined, reason: 'OTHER_EPOCH' })),
    );
  });

  test('under the signatures makes them void', async () => {
    const { failure } = await audited(
      inFirstOpening(
        ({ index }) => index <= 2,
        ({ index, openingId }, honest) =>
          operators.signed(index, openingId, residuesOf(honest), elsewhere),
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  });
});

describe('missing shares', () => {
  test('of t operators are not needed', async () => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(
        ({ index }) => index === 4,
        () => undefined,
      ),
    );
    expect(failure).toBe(undefined);
    expect(against(findings)).toEqual({ 4: { missing: [openings[0]] } });
    expect(findings[3].shares).toBe(1);
  });

  test('of more than t are', async () => {
    const { failure } = await audited(
      inFirstOpening(
        ({ index }) => index === 2 || index === 4,
        () => undefined,
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
    expect(failure?.metadata.missing).toBe('2,4');
  });

  test('at operators that are gone are there at any other', async () => {
    const { failure, operators: findings } = await audited({ offline: [1, 2, 3] });
    expect(failure).toBe(undefined);
    expect(findings.map(({ shares }) => shares)).toEqual([2, 2, 2, 2]);
  });

  test('at operators that each have only their own are those that are gone', async () => {
    const onlyOwn: Tampering['share'] = async ({ holder, index }, honest) =>
      holder === index ? honest : undefined;
    const three = await audited({ share: onlyOwn, offline: [2] });
    expect(three.failure).toBe(undefined);
    expect(against(three.operators)).toEqual({ 2: { missing: openings } });
    const two = await audited({ share: onlyOwn, offline: [2, 3] });
    expect(two.failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
  });
});

describe('two signed shares of one opening', () => {
  /** Operator 3 has told operator 1 something else than the others. */
  const equivocation = inFirstOpening(
    ({ index, holder }) => index === 3 && holder === 1,
    ({ index, openingId }, honest) =>
      operators.signed(index, openingId, residuesOf(flipped(honest))),
  );

  test('convict their operator with both roots', async () => {
    const { failure, operators: findings } = await audited(equivocation);
    expect(failure).toBe(undefined);
    expect(against(findings)).toEqual({ 3: { equivocations: 1 } });
    const [{ openingId, commitments }] = findings[2].equivocations;
    expect(openingId).toBe(openings[0]);
    const honest = operators.shares.get(openings[0])!.get(3)!;
    expect(commitments.map(({ signature }) => signature)).toEqual([
      signatureOf(honest),
      signatureOf(await operators.signed(3, openingId, residuesOf(flipped(honest)))),
    ]);
    expect(commitments[0].root).not.toBe(commitments[1].root);
  });

  test('of more than t operators leave nothing to believe', async () => {
    const { failure } = await audited(
      inFirstOpening(
        ({ index, holder }) => index >= 3 && holder === 1,
        ({ index, openingId }, honest) =>
          operators.signed(index, openingId, residuesOf(flipped(honest))),
      ),
    );
    expect(failure?.code).toBe(AuditErrorCode.SHARES_DISAGREE);
  });

  test('count for nothing', async () => {
    const { failure } = await audited({
      share: async (place, honest) =>
        place.index === 4 ? undefined : equivocation.share!(place, honest),
    });
    expect(failure?.code).toBe(AuditErrorCode.SHARES_MISSING);
    expect(failure?.metadata.missing).toBe('4');
  });
});

describe('what is served', () => {
  test.each([
    ['of too few residues', (bytes: Uint8Array) => bytes.subarray(0, -8), [4]],
    ['not of whole residues', (bytes: Uint8Array) => bytes.subarray(0, -3), [4]],
    // Where the signature is one of those that were checked, nobody looks at the rest.
    ['without a signature', () => new Uint8Array(), [1, 2, 3, 4]],
  ])('%s is refused', async (_, change, of) => {
    const { failure, operators: findings } = await audited(
      inFirstOpening(
        ({ holder }) => holder === 4,
        (_place, honest) => change(honest),
      ),
    );
    expect(failure).toBe(undefined);
    const { refused } = findings[3];
    expect(refused.map(({ index }) => index).sort()).toEqual(of);
    expect(refused.every(({ reason }) => reason === 'LENGTH')).toBe(true);
  });

  test('too long is cut off, and after some of that nothing is asked any more', async () => {
    const { failure, operators: findings } = await audited({
      share: async ({ holder }, honest) => (holder === 4 ? new Uint8Array(1 << 20) : honest),
    });
    expect(failure).toBe(undefined);
    expect(findings[3].silence).toMatch('longer than');
    expect(findings.slice(0, 3).map(({ silence }) => silence)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('for others is not asked for any more after some that cannot be used', async () => {
    const { failure, operators: findings } = await audited({
      share: async ({ holder }, honest) => (holder === 4 ? honest.subarray(0, 64) : honest),
    });
    expect(failure).toBe(undefined);
    const ofOpening = (openingId: Hex) =>
      findings[3].refused
        .filter((refused) => refused.openingId === openingId)
        .map(({ index }) => index)
        .sort();
    expect(openings.map(ofOpening)).toEqual([[1, 2, 3, 4], [4]]);
  });

  test('again under a known signature is not waited for', async () => {
    const { failure, operators: findings } = await audited({
      share: async ({ holder, index }, honest) =>
        // The rest never comes.
        holder === index ? honest : { start: honest.subarray(0, 65) },
    });
    expect(failure).toBe(undefined);
    expect(against(findings)).toEqual({});
  });
});
