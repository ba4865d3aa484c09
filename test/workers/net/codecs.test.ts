import { bytesToHex, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import { decodeQuestion as decodeBlobQuestion } from '../../../workers/net/blobs/codec.ts';
import { NetError, NetErrorCode } from '../../../workers/net/errors.ts';
import type { Codec } from '../../../workers/net/exchange/index.ts';
import { codec as commitments } from '../../../workers/net/commitments/codec.ts';
import { openingsPerQuestion } from '../../../workers/net/limits.ts';
import { codec as combinations } from '../../../workers/net/combinations/codec.ts';
import { codec as results } from '../../../workers/net/results/codec.ts';
import { codec as setup } from '../../../workers/net/setup/codec.ts';
import { codec as shares } from '../../../workers/net/shares/codec.ts';
import { codec as values } from '../../../workers/net/values/codec.ts';
import { codec as views } from '../../../workers/net/views/codec.ts';
import { seededBytes } from './support.ts';

const hex = (seed: string, length: number): Hex => bytesToHex(seededBytes(seed, length));
const signature = hex('signature', 65);
/** 12 and 11 bits per residue, so that limbs of 3 end within a byte. */
const shape = { primes: [2053n, 1031n], width: 3, polynomials: 2 };
const residues = BigUint64Array.of(1n, 2n, 2052n, 3n, 1030n, 5n, 0n, 4095n, 7n, 2047n, 9n, 11n);

interface Example {
  readonly name: string;
  // The codecs have different types of questions, answers and shapes; each row is used with itself.
  readonly codec: Codec<unknown, unknown, unknown>;
  readonly question: unknown;
  readonly answer: unknown;
  readonly shape: unknown;
}

function example<Q, A, S>(codec: Codec<Q, A, S>, question: Q, answer: A, shape: S): Example {
  return {
    name: codec.protocol,
    codec,
    question,
    answer,
    shape,
  };
}

const rootAt = (index: number) => ({ index, root: hex(`root ${index}`, 32), signature });

const examples: readonly Example[] = [
  example(
    commitments,
    { epochId: hex('epoch', 32), openingIds: [hex('first', 32), hex('second', 32)] },
    [[rootAt(1), rootAt(2), rootAt(13)], []],
    { openings: 2 },
  ),
  example(
    setup,
    { proposalId: hex('proposal', 32), dealer: 13, signature: hex('signature', 65) },
    {
      hashes: [seededBytes('h0', 32), seededBytes('h1', 32), seededBytes('h2', 32)],
      seeds: new Map([
        [0, seededBytes('s0', 32)],
        [714, seededBytes('s1', 32)],
      ]),
    },
    {},
  ),
  example(
    views,
    { epochId: hex('epoch', 32), height: 2n ** 64n - 1n },
    { blockHash: hex('block', 32), logsDigest: hex('logs', 32), signature },
    {},
  ),
  example(
    shares,
    { epochId: hex('epoch', 32), openingId: hex('opening', 32) },
    { signature, shape, residues },
    { shape },
  ),
  example(
    values,
    { epochId: hex('epoch', 32), openingId: hex('opening', 32) },
    { shape, residues },
    { shape },
  ),
  example(
    combinations,
    {
      epochId: hex('epoch', 32),
      openingId: hex('opening', 32),
      valueDigest: hex('value', 32),
    },
    { shape, residues },
    { shape },
  ),
  example(
    results,
    { epochId: hex('epoch', 32), resultId: hex('result', 32) },
    { signature, result: seededBytes('result', 24) },
    { resultBytes: 24 },
  ),
];

function codeOf(work: () => unknown): NetErrorCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
}

describe.each(examples)('$name', ({ codec, question, answer, shape }) => {
  const questionBytes = codec.encodeQuestion(question);
  const answerBytes = codec.encodeAnswer(answer);
  const answerErrors: unknown[] = [NetErrorCode.answerMalformed, NetErrorCode.answerLengthWrong];

  it('decodes what it encodes', () => {
    expect(questionBytes.length).toBe(codec.questionBytes);
    expect(codec.decodeQuestion(questionBytes)).toEqual(question);
    expect(answerBytes.length).toBeLessThanOrEqual(codec.maxAnswerBytes(shape));
    expect(codec.decodeAnswer(answerBytes, shape)).toEqual(answer);
  });

  it('decodes from the middle of a larger buffer, into memory of its own', () => {
    const larger = new Uint8Array(answerBytes.length + 6);
    larger.set(answerBytes, 3);
    const decoded = codec.decodeAnswer(larger.subarray(3, 3 + answerBytes.length), shape);
    larger.fill(0xff);
    expect(decoded).toEqual(answer);
  });

  it('refuses every truncation and extension', () => {
    for (let length = 0; length <= questionBytes.length + 1; length++) {
      if (length === questionBytes.length) continue;
      const bytes = new Uint8Array(length);
      bytes.set(questionBytes.subarray(0, length));
      expect(codeOf(() => codec.decodeQuestion(bytes))).toBe(NetErrorCode.questionMalformed);
    }
    for (let length = 0; length <= answerBytes.length + 1; length++) {
      if (length === answerBytes.length) continue;
      const bytes = new Uint8Array(length);
      bytes.set(answerBytes.subarray(0, length));
      expect(answerErrors).toContain(codeOf(() => codec.decodeAnswer(bytes, shape)));
    }
  });

  it('meets random bytes with coded errors, and has one form for what it accepts', () => {
    for (let round = 0; round < 300; round++) {
      const bytes = seededBytes(`${codec.protocol} ${round}`, round);
      expect([undefined, NetErrorCode.questionMalformed]).toContain(
        codeOf(() => codec.decodeQuestion(bytes)),
      );
      expect([undefined, ...answerErrors]).toContain(
        codeOf(() => codec.decodeAnswer(bytes, shape)),
      );
      // One byte of a good answer changed: refused, or another answer with this very encoding.
      const changed = Uint8Array.from(answerBytes);
      changed[(round * 7919) % changed.length] ^= 1 + (round % 255);
      const code = codeOf(() =>
        expect(codec.encodeAnswer(codec.decodeAnswer(changed, shape))).toEqual(changed),
      );
      expect([undefined, ...answerErrors]).toContain(code);
    }
  });
});

describe('arguments of the wrong form', () => {
  const zero = hex('zero', 32);
  const signature = hex('signature', 65);
  it.each([
    [
      'a short proposal id',
      () => setup.encodeQuestion({ proposalId: '0x12', dealer: 1, signature }),
    ],
    ['dealer 0', () => setup.encodeQuestion({ proposalId: zero, dealer: 0, signature })],
    ['dealer 14', () => setup.encodeQuestion({ proposalId: zero, dealer: 14, signature })],
    ['a negative height', () => views.encodeQuestion({ epochId: zero, height: -1n })],
    ['a height of 65 bits', () => views.encodeQuestion({ epochId: zero, height: 1n << 64n })],
    ['an id that is not hex', () => shares.encodeQuestion({ epochId: zero, openingId: '0xzz' })],
    ['a short signature', () => results.encodeAnswer({ signature: '0x', result: zeroBytes(1) })],
    [
      'a short seed',
      () => setup.encodeAnswer({ hashes: [], seeds: new Map([[1, zeroBytes(31)]]) }),
    ],
    [
      'a set number out of range',
      () => setup.encodeAnswer({ hashes: [], seeds: new Map([[715, zeroBytes(32)]]) }),
    ],
    [
      'too many hashes',
      () => setup.encodeAnswer({ hashes: Array(496).fill(zeroBytes(32)), seeds: new Map() }),
    ],
  ])('are refused: %s', (_, work: () => unknown) => {
    expect(codeOf(work)).toBe(NetErrorCode.argumentInvalid);
  });
});

describe('set-up answers', () => {
  const seed = seededBytes('seed', 32);
  const answer = (...numbers: readonly number[]): Uint8Array =>
    Uint8Array.from([
      ...[0, 0, numbers.length & 0xff, numbers.length >> 8],
      ...numbers.flatMap((number) => [number & 0xff, number >> 8, ...seed]),
    ]);
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

  it('holds the set-up of the largest committee', () => {
    const bytes = answer(...range(495));
    expect(bytes.length + 495 * 32).toBe(setup.maxAnswerBytes({}));
    expect(setup.decodeAnswer(bytes, {}).seeds.size).toBe(495);
  });

  it.each([
    ['equal set numbers', answer(3, 3)],
    ['descending set numbers', answer(4, 3)],
    ['a set number out of range', answer(715)],
    ['more seeds than a dealer has', answer(...range(496))],
  ])('are refused for %s', (_, bytes) => {
    expect(codeOf(() => setup.decodeAnswer(bytes, {}))).toBe(NetErrorCode.answerMalformed);
  });

  it('refuses a question about dealer 0 or 14', () => {
    for (const dealer of [0, 14, 255]) {
      const bytes = Uint8Array.of(...seededBytes('proposal', 32), dealer);
      expect(codeOf(() => setup.decodeQuestion(bytes))).toBe(NetErrorCode.questionMalformed);
    }
  });
});

describe('commitments', () => {
  const epochId = hex('epoch', 32);
  const ids = Array.from({ length: openingsPerQuestion }, (_, at) => hex(`opening ${at}`, 32));
  const questionOf = (...openingIds: readonly Hex[]) =>
    commitments.encodeQuestion({ epochId, openingIds });

  it('are asked about for so many openings, and answered for as many operators as there are', () => {
    expect(commitments.decodeQuestion(questionOf(...ids)).openingIds).toEqual(ids);
    const all = Array.from({ length: 13 }, (_, at) => rootAt(at + 1));
    const shape = { openings: ids.length };
    const answer = commitments.encodeAnswer(ids.map(() => all));
    expect(answer).toHaveLength(commitments.maxAnswerBytes(shape));
    expect(commitments.decodeAnswer(answer, shape)).toEqual(ids.map(() => all));
  });

  it('are not asked about for none or too many', () => {
    const code = NetErrorCode.argumentInvalid;
    expect(codeOf(() => questionOf())).toBe(code);
    expect(codeOf(() => questionOf(...ids, hex('one more', 32)))).toBe(code);
  });

  it.each([
    ['no opening', (bytes: Uint8Array) => bytes.fill(0, 32)],
    ['a gap', (bytes: Uint8Array) => bytes.fill(0, 32, 64)],
    ['an opening twice', (bytes: Uint8Array) => bytes.copyWithin(32, 64, 96)],
  ])('are refused a question with %s', (_, spoil) => {
    const code = NetErrorCode.questionMalformed;
    expect(codeOf(() => commitments.decodeQuestion(spoil(questionOf(...ids))))).toBe(code);
  });

  it.each([
    ['an operator twice', [rootAt(2), rootAt(2)]],
    ['operators out of order', [rootAt(3), rootAt(2)]],
    ['operator 0', [rootAt(0)]],
    ['operator 14', [rootAt(14)]],
  ])('are refused for %s', (_, roots) => {
    const bytes = commitments.encodeAnswer([roots]);
    const code = NetErrorCode.answerMalformed;
    expect(codeOf(() => commitments.decodeAnswer(bytes, { openings: 1 }))).toBe(code);
  });
});

describe('packed residues', () => {
  it.each([
    ['shares', signature.length / 2 - 1, shares],
    ['values', 0, values],
    ['combinations', 0, combinations],
  ] as const)('of %s are refused with bits after the last', (_, offset, codec) => {
    const bytes = codec.encodeAnswer({ signature, shape, residues });
    expect(bytes).toHaveLength(offset + 2 * (5 + 5));
    bytes[offset + 4] |= 0x80;
    expect(codeOf(() => codec.decodeAnswer(bytes, { shape }))).toBe(NetErrorCode.answerMalformed);
  });
});

describe('blob questions', () => {
  it('have exactly 32 bytes', () => {
    expect(decodeBlobQuestion(seededBytes('blob', 32))).toBe(hex('blob', 32));
    for (const length of [0, 31, 33]) {
      expect(codeOf(() => decodeBlobQuestion(new Uint8Array(length)))).toBe(
        NetErrorCode.questionMalformed,
      );
    }
  });
});

function zeroBytes(length: number): Uint8Array {
  return new Uint8Array(length);
}
