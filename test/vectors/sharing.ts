/**
 * Writes test/vectors/sharing.json from the slow reference: `node test/vectors/sharing.ts`.
 *
 * Another implementation that reproduces this file computes the same shares as ours.
 */
import { writeFileSync } from 'node:fs';
import type { Hex } from 'viem';
import * as reference from '../workers/sharing/reference.ts';
import type { ReferenceDistribution } from '../workers/sharing/reference.ts';

/** NTT primes for degrees up to 8192: one of 43, 44 and 60 bits each. */
const primes = [8796092858369n, 17592186028033n, 1152921504606830593n];
const distributions: ReferenceDistribution[] = [
  { kind: 'ternary' },
  { kind: 'binomial' },
  { kind: 'uniform', bits: 20 },
  { kind: 'uniform', bits: 31 },
  { kind: 'uniform', bits: 99 },
];

const digest = (text: string): Hex => reference.toHex(reference.sha256(Buffer.from(text)));
const item = (text: string): Buffer => reference.sha256(Buffer.from(text));
const setKeysOf = (n: number): Map<number, Uint8Array> => {
  const sets = reference.lexicographicSets(n, n - (n - 1) / 3);
  return new Map(sets.map((_, number) => [number, item(`set key ${n}/${number}`)]));
};

const address = '0x00112233445566778899aabbccddeeff00112233';
const [epoch, content, setup, keyId] = ['epoch', 'content', 'set-up', 'key'].map(digest);
const prefix = reference.keccakWords(
  reference.label('keyloom/item/1'),
  31337n,
  address,
  epoch,
  2,
  content,
);

const positions = [3, 0, 4095];
const positionsDigest = reference.toHex(
  reference.sha256(...positions.map((p) => Buffer.of(p & 0xff, p >> 8, 0, 0))),
);
const parameterSet = { name: 'vector-set', degree: 4096, plainModulus: 65537n, primes };
const nameWord: Hex = `0x${Buffer.from(parameterSet.name).toString('hex').padEnd(64, '0')}`;
const parameterSetId = reference.keccakWords(
  // Head: offset of the string, degree, plain modulus, offset of the primes; then both tails.
  ...[128, parameterSet.degree, parameterSet.plainModulus, 192],
  ...[parameterSet.name.length, nameWord],
  ...[primes.length, ...primes],
);
const openingId = (positionsWord: Hex | number, generations: Hex, polynomials: number): Hex =>
  reference.keccakWords(
    ...[reference.label('keyloom/opening/1'), setup, prefix, generations, parameterSetId],
    ...[1, 2, 3, primes.length, positions.length, polynomials, positionsWord],
  );

const proposalId = digest('proposal');
const standing = [1, 3, 4];
const seed = (dealer: number, set: number): Uint8Array => item(`seed ${dealer}/${set}`);
const sets4 = reference.lexicographicSets(4, 3);
const numbersOf = (dealer: number): number[] =>
  sets4.flatMap((members, number) => (members.includes(dealer) ? [number] : []));
const roots = standing.map((dealer) =>
  reference.toHex(
    reference.merkleRoot(
      numbersOf(dealer).map((set) => reference.seedHash(proposalId, dealer, set, seed(dealer, set))),
    ),
  ),
);
const bitmap = standing.reduce((bits, dealer) => bits | (1 << (dealer - 1)), 0);
const setupDigest = reference.keccakWords(proposalId, bitmap, 96, roots.length, ...roots);
const signers = [1, 2, 3, 4].map((i): Hex => `0x${String(i).repeat(40)}`);

const vectors = {
  expander: ['ternary key', 'flooding key'].map((text) => ({
    setKey: digest(text),
    itemId: digest(`item of ${text}`),
    from: 4090,
    bytes: reference.toHex(reference.stream(item(text), item(`item of ${text}`), 4090, 40)),
  })),
  ids: {
    chainId: '31337',
    gateway: address,
    epochId: epoch,
    operation: 2,
    content,
    itemPrefix: prefix,
    role: 4,
    digit: 258,
    galoisElement: 16385,
    polynomial: 1,
    itemId: reference.keccakWords(prefix, 4, 258, 16385, 1),
    parameterSet: {
      ...parameterSet,
      plainModulus: String(parameterSet.plainModulus),
      primes: primes.map(String),
    },
    parameterSetId,
    setupDigest: setup,
    generations: [{ keyId, generation: 7 }],
    step: 1,
    openingDigit: 2,
    openingGaloisElement: 3,
    positions,
    polynomials: 2,
    openingId: openingId(positionsDigest, reference.keccakWords(32, 1, keyId, 7), 2),
    openingIdWithoutKeysOrPositions: openingId(0, reference.keccakWords(32, 0), 2),
  },
  prss: [4, 7, 10, 13].flatMap((n) =>
    distributions.map((distribution) => {
      const itemId = item(`item ${n} ${distribution.kind}`);
      const index = n - 1;
      const setKeys = setKeysOf(n);
      return {
        n,
        index,
        distribution,
        primes: primes.map(String),
        setKeys: `sha256("set key ${n}/" followed by the set's number in decimal)`,
        itemId: reference.toHex(itemId),
        positions: [0, 1, 4095],
        share: reference
          .share(n, index, setKeys, { primes, itemId, distribution, positions: [0, 1, 4095] })
          .map(String),
      };
    }),
  ),
  merkle: [1, 64, 65, 128, 130, 1000].map((residues) => {
    const share = Array.from({ length: residues }, (_, at) => (BigInt(at) << 32n) + 7n);
    return {
      residues,
      rule: 'residue number j is j·2^32 + 7',
      root: reference.toHex(reference.shareRoot(share)),
    };
  }),
  setup: {
    n: 4,
    proposalId,
    seeds: 'sha256("seed " dealer "/" number of the set), numbers in decimal',
    standing,
    roots,
    setupDigest,
    chainId: '31337',
    epochManager: address,
    signers,
    epochId: reference.keccakWords(
      ...[31337n, address as Hex, reference.keccakWords(32, signers.length, ...signers)],
      setupDigest,
    ),
    setKeys: sets4.map((members, number) =>
      reference.toHex(
        reference.setKey(
          setupDigest,
          number,
          standing.filter((d) => members.includes(d)).map((d) => seed(d, number)),
        ),
      ),
    ),
  },
};

writeFileSync(
  new URL('sharing.json', import.meta.url),
  `${JSON.stringify(vectors, null, 2)}\n`,
);
