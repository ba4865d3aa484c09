/**
 * Writes test/vectors/ceremony.json from the slow reference: `node test/vectors/ceremony.ts`.
 *
 * Solidity and TypeScript must agree on all of it: states, their hashes, proofs of knowledge, and
 * flaws with the leaves and paths that prove them. The digests of files are made up: nothing here
 * depends on them.
 */
import { writeFileSync } from 'node:fs';
import { keccak256, toHex, type Hex } from 'viem';
import * as reference from '../workers/ceremony/reference.ts';
import { Fp, G1, G2, word } from '../workers/ceremony/reference.ts';
import type { Leaves, Points, State } from '../workers/ceremony/reference.ts';

const power = 8;
const size = 2 ** power;
const digest = (text: string): Hex => keccak256(Buffer.from(text));
const hexWord = (value: bigint): Hex => toHex(word(value));
const zeroHash: Hex = `0x${'00'.repeat(32)}`;

const chainId = 31337n;
const crsManager: Hex = '0x00112233445566778899aabbccddeeff00112233';
const ceremonyId = digest('ceremony');

/** Sections by name: their number in the file, and where they start in the tree over their group. */
const sections = {
  tauG1: { number: 2, start: 0 },
  tauG2: { number: 3, start: 0 },
  alphaTauG1: { number: 4, start: 2 * size - 1 },
  betaTauG1: { number: 5, start: 3 * size - 1 },
};
type Section = keyof typeof sections;
type Kind = 'wrong-points' | 'malformed-leaf' | 'wrong-start' | 'wrong-neighbours';

const described = (state: State) => ({
  encoded: toHex(reference.encodeState(state)),
  hash: reference.stateHash(state),
});

/** Contributions one after the other, honest. */
const secrets = [3, 1].map((index) => reference.secretsOf(`contributor ${index}`));
const honest = [
  reference.powersOf(power, secrets[0]),
  reference.powersOf(power, reference.product(secrets[0], secrets[1])),
];
const states = honest.map((points, at) => reference.stateOf(points, digest(`file ${at + 1}`)));
const ends = (points: Points | undefined) =>
  points === undefined
    ? [G1.BASE, G1.BASE, G1.BASE]
    : [points.tauG1[1], points.alphaTauG1[0], points.betaTauG1[0]];

const contributions = [3, 1].map((index, at) => {
  const previousHash = at === 0 ? zeroHash : reference.stateHash(states[at - 1]);
  const nextHash = reference.stateHash(states[at]);
  const nonces = reference.secretsOf(`nonces of ${index}`);
  const context = { chainId, crsManager, ceremonyId, index, previousHash, nextHash };
  const proof = reference.prove(context, ends(honest[at - 1]), secrets[at], nonces);
  const named = (of: reference.Secrets) => ({
    tau: hexWord(of.tau),
    alpha: hexWord(of.alpha),
    beta: hexWord(of.beta),
  });
  return {
    index,
    previousHash,
    state: described(states[at]),
    secrets: named(secrets[at]),
    nonces: named(nonces),
    proof: {
      challenge: hexWord(proof[0]),
      tau: hexWord(proof[1]),
      alpha: hexWord(proof[2]),
      beta: hexWord(proof[3]),
    },
    contributionId: keccak256(
      Buffer.concat([
        word(BigInt(ceremonyId)),
        word(BigInt(previousHash)),
        word(BigInt(index)),
      ]),
    ),
    result: toHex(Buffer.concat([reference.encodeState(states[at]), ...proof.map(word)])),
  };
});

/** A leaf of the tree that a section is in, by its place in the section. */
const leafAt = (leaves: Leaves, section: Section, place: number) => {
  const position = sections[section].start + place;
  const values = section === 'tauG2' ? leaves.g2 : leaves.g1;
  return { point: toHex(values[position]), path: reference.path(values, position) };
};

/** The honest first file with a leaf replaced, and what shows it; neighbours by the second of them. */
function flaw(
  what: string,
  kind: Exclude<Kind, 'wrong-points'>,
  section: Section,
  place: number,
  replacement?: Uint8Array,
) {
  const leaves = reference.leavesOf(honest[0]);
  if (replacement !== undefined) {
    const values = section === 'tauG2' ? leaves.g2 : leaves.g1;
    values[sections[section].start + place] = replacement;
  }
  const places = kind === 'wrong-neighbours' ? [place - 1, place] : [place];
  return {
    what,
    state: described(reference.stateOf(honest[0], digest(`file: ${what}`), leaves)),
    kind: kind as Kind,
    section: sections[section].number,
    place: places[0],
    leaves: places.map((at) => leafAt(leaves, section, at)),
  };
}

/** The honest first state with one of its own points replaced. */
function wrongPoint(
  what: string,
  name: 'tauG1' | 'alphaG1' | 'betaG1' | 'tauG2' | 'betaG2',
  replacement: Uint8Array,
) {
  const state = described({ ...states[0], [name]: replacement });
  return { what, state, kind: 'wrong-points' as Kind, section: 0, place: 0, leaves: [] };
}

const g1 = (text: string): Buffer => reference.g1Leaf(G1.BASE.multiply(reference.scalar(text)));
const g2 = (text: string): Buffer => reference.g2Leaf(G2.BASE.multiply(reference.scalar(text)));
const add = (leaf: Uint8Array, at: number, amount: bigint): Buffer => {
  const words = reference.wordsOf(leaf);
  words[at] += amount;
  return Buffer.concat(words.map(word));
};
const outside = reference.outsideSubgroup();
const middle = size / 2;

const points = (section: Section, text: string): Buffer => (section === 'tauG2' ? g2 : g1)(text);
const names = ['tauG1', 'tauG2', 'alphaTauG1', 'betaTauG1'] as const;
const last = (section: Section): number => honest[0][section].length - 1;

const flaws = [
  wrongPoint('tauG1 is another tau’s', 'tauG1', g1('other')),
  wrongPoint('betaG1 is another beta’s', 'betaG1', g1('other')),
  wrongPoint('tauG2 is another tau’s', 'tauG2', g2('other')),
  wrongPoint('betaG2 is another beta’s', 'betaG2', g2('other')),
  wrongPoint('alphaG1 is not on the curve', 'alphaG1', add(g1('x'), 1, 1n)),
  wrongPoint('alphaG1 is infinity', 'alphaG1', Buffer.alloc(64)),
  wrongPoint('betaG2 is not on the curve', 'betaG2', add(g2('x'), 3, 1n)),
  wrongPoint('betaG2 is outside the subgroup', 'betaG2', outside),
  flaw('G1 point not on the curve', 'malformed-leaf', 'tauG1', size, add(g1('x'), 1, 1n)),
  flaw('G1 point at infinity', 'malformed-leaf', 'alphaTauG1', middle, Buffer.alloc(64)),
  flaw('G1 x above p', 'malformed-leaf', 'betaTauG1', middle, add(g1('x'), 0, Fp.ORDER)),
  flaw('G1 y above p', 'malformed-leaf', 'tauG1', last('tauG1'), add(g1('x'), 1, Fp.ORDER)),
  flaw('G2 point not on the curve', 'malformed-leaf', 'tauG2', middle, add(g2('x'), 3, 1n)),
  flaw('G2 point at infinity', 'malformed-leaf', 'tauG2', last('tauG2'), Buffer.alloc(128)),
  flaw('G2 coordinate above p', 'malformed-leaf', 'tauG2', middle, add(g2('x'), 2, Fp.ORDER)),
  flaw('G2 point outside the subgroup', 'malformed-leaf', 'tauG2', middle + 1, outside),
  ...names.map((section) =>
    flaw(`wrong start of ${section}`, 'wrong-start', section, 0, points(section, 'start')),
  ),
  flaw('point 1 of tauG1 is not tau', 'wrong-start', 'tauG1', 1, g1('start')),
  flaw('point 1 of tauG2 is not tau', 'wrong-start', 'tauG2', 1, g2('start')),
  ...names.flatMap((section) =>
    [1, middle, last(section)].map((place) =>
      flaw(
        `wrong power ${place} in ${section}`,
        'wrong-neighbours',
        section,
        place,
        points(section, 'power'),
      ),
    ),
  ),
];

/** Of honest files: claims that must not be taken for flaws. */
const sound = [
  wrongPoint('the points of the state', 'tauG1', states[0].tauG1),
  ...names.flatMap((section) => [
    flaw(`a point of ${section}`, 'malformed-leaf', section, middle),
    flaw(`the start of ${section}`, 'wrong-start', section, 0),
    flaw(`neighbours in ${section}`, 'wrong-neighbours', section, middle),
    flaw(`the last neighbours in ${section}`, 'wrong-neighbours', section, last(section)),
  ]),
  flaw('point 1 of tauG1', 'wrong-start', 'tauG1', 1),
  flaw('point 1 of tauG2', 'wrong-start', 'tauG2', 1),
];

const vectors = {
  power,
  chainId: String(chainId),
  crsManager,
  ceremonyId,
  contributions,
  flaws,
  sound,
};

writeFileSync(
  new URL('ceremony.json', import.meta.url),
  `${JSON.stringify(vectors, null, 2)}\n`,
);
