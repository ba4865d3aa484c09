/**
 * Writes test/vectors/protocols.json from the slow reference: `node test/vectors/protocols.ts`.
 *
 * Another implementation that reproduces this file names the same openings as ours.
 */
import { writeFileSync } from 'node:fs';
import type { Hex } from 'viem';
import * as reference from '../workers/sharing/reference.ts';

const digest = (text: string): Hex => reference.toHex(reference.sha256(Buffer.from(text)));
const [epochId, setupDigest, keyId, targetKeyId, recipient] = [
  'epoch',
  'set-up',
  'key',
  'target key',
  'recipient',
].map(digest);
const ciphertexts = ['first', 'second'].map((text) => digest(`${text} ciphertext`));
const address = '0x00112233445566778899aabbccddeeff00112233';
const generations = { key: 3, targetKey: 5 };

/** insecure-bfv-1024 as docs/parameters.md has it. */
const set = {
  name: 'insecure-bfv-1024',
  degree: 1024,
  plainModulus: 120833,
  primes: [17592185853953n, 17592185982977n, 17592185997313n, 17592186028033n],
};
const nameWord: Hex = `0x${Buffer.from(set.name).toString('hex').padEnd(64, '0')}`;
const parameterSetId = reference.keccakWords(
  ...[128, set.degree, set.plainModulus, 192, set.name.length, nameWord],
  ...[set.primes.length, ...set.primes],
);

const key = [keyId, generations.key];
const targetKey = [targetKeyId, generations.targetKey];
const generationsDigest = (...pairs: (Hex | number)[][]): Hex =>
  reference.keccakWords(32, pairs.length, ...pairs.flat());
const userContent = (list: readonly Hex[]): Hex =>
  // Head: key, offset of the digests, recipient; then the digests.
  reference.keccakWords(keyId, 96, recipient, list.length, ...list);
const positionsDigest = reference.toHex(
  reference.sha256(...ciphertexts.map((_, position) => Buffer.of(position, 0, 0, 0))),
);

function opening(
  name: string,
  operation: number,
  content: Hex,
  rest: {
    generations: Hex;
    step?: number;
    digit?: number;
    galoisElement?: number;
    limbs: number;
    width?: number;
    polynomials?: number;
    positions?: Hex;
  },
) {
  const { step = 0, digit = 0, galoisElement = 0, width = set.degree, polynomials = 1 } = rest;
  const prefix = reference.keccakWords(
    ...[reference.label('keyloom/item/1'), 31337, address as Hex, epochId, operation, content],
  );
  const id = reference.keccakWords(
    ...[reference.label('keyloom/opening/1'), setupDigest, prefix, rest.generations],
    ...[parameterSetId, step, digit, galoisElement, rest.limbs, width, polynomials],
    rest.positions ?? 0,
  );
  return { name, content, itemPrefix: prefix, openingId: id };
}

const ofKey = generationsDigest(key);
const all = set.primes.length;
const level = 3;
const list = userContent(ciphertexts);
const alone = userContent(ciphertexts.slice(0, 1));

const vectors = {
  chainId: '31337',
  gateway: address,
  epochId,
  setupDigest,
  n: 4,
  parameterSet: set.name,
  keyId,
  targetKeyId,
  generations,
  recipient,
  ciphertexts,
  digit: 2,
  galoisElement: 9,
  limbs: level,
  openings: [
    opening('relinearization, first', 3, keyId, {
      ...{ generations: ofKey, digit: 2, limbs: all, polynomials: 2 },
    }),
    opening('relinearization, second', 3, keyId, {
      ...{ generations: ofKey, step: 1, digit: 2, limbs: all },
    }),
    opening('galois', 4, keyId, {
      ...{ generations: ofKey, digit: 2, galoisElement: 9, limbs: all },
    }),
    opening('switching', 5, reference.keccakWords(keyId, targetKeyId), {
      ...{ generations: generationsDigest(key, targetKey), digit: 2, limbs: all },
    }),
    opening('user, full, h0', 6, alone, { generations: ofKey, limbs: level }),
    opening('user, full, h1', 6, alone, {
      ...{ generations: generationsDigest(), step: 1, limbs: level },
    }),
    opening('user, packed, h0', 6, list, {
      ...{ generations: ofKey, limbs: level, width: 2, positions: positionsDigest },
    }),
    opening('user, packed, h1', 6, list, {
      ...{ generations: generationsDigest(), step: 1, limbs: level },
    }),
  ],
};

writeFileSync(
  new URL('protocols.json', import.meta.url),
  `${JSON.stringify(vectors, null, 2)}\n`,
);
