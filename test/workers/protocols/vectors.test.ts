import type { Address, Hex } from 'viem';
import { expect, it } from 'vitest';
import { entriesOf } from '../../../workers/protocols/evaluation-keys.ts';
import type { EvaluationKeyRequest } from '../../../workers/protocols/evaluation-keys.ts';
import type { Part, Session } from '../../../workers/protocols/opening.ts';
import { userDecryption } from '../../../workers/protocols/user-decryption.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { shareLength } from '../../../workers/sharing/opening.ts';
import vectors from '../../vectors/protocols.json' with { type: 'json' };

const set = parameterSet(vectors.parameterSet);
const committee = committeeOf(vectors.n);
const session: Session = {
  chainId: BigInt(vectors.chainId),
  gateway: vectors.gateway as Address,
  epochId: vectors.epochId as Hex,
  setupDigest: vectors.setupDigest as Hex,
  committee,
};
const keyId = vectors.keyId as Hex;
const targetKeyId = vectors.targetKeyId as Hex;
const { generations, limbs } = vectors;

/** Ids of all openings of a part, told zeros for values. */
function idsOf(part: Part<unknown>): Hex[] {
  const ids: Hex[] = [];
  for (let next = part.next(); !next.done;) {
    ids.push(...next.value.map(({ opening }) => opening.id));
    next = part.next(next.value.map(({ opening }) => zeros(shareLength(opening.shape))));
  }
  return ids;
}

const zeros = (length: number): RnsVector => new BigUint64Array(length);

function evaluationKey(request: EvaluationKeyRequest): Part<unknown> {
  const generationOf = (id: Hex) => (id === keyId ? generations.key : generations.targetKey);
  return entriesOf(session, request, set, generationOf)[0].digit(vectors.digit);
}

function user(form: 'full' | 'packed', digests: readonly string[]): Part<unknown> {
  const whole = zeros(set.primes.length * set.degree);
  const level = zeros(limbs * set.degree);
  return userDecryption(session, {
    keyId,
    generation: generations.key,
    set,
    form,
    recipient: { set, digest: vectors.recipient as Hex, b: whole, a: whole },
    ciphertexts: digests.map((digest) => {
      const polynomials = { c0: level, c1: level };
      return { set, committee, limbs, floodBits: 1, ...polynomials, digest: digest as Hex };
    }),
  });
}

it('openings have the ids of the test vectors', () => {
  const elements = [vectors.galoisElement];
  const ids = [
    ...idsOf(evaluationKey({ kind: 'relinearization', keyId })),
    ...idsOf(evaluationKey({ kind: 'galois', keyId, elements })),
    ...idsOf(evaluationKey({ kind: 'switching', keyId, targetKeyId })),
    ...idsOf(user('full', vectors.ciphertexts.slice(0, 1))),
    ...idsOf(user('packed', vectors.ciphertexts)),
  ];
  expect(ids).toEqual(vectors.openings.map(({ openingId }) => openingId));
});
