/**
 * Slow and plain versions of what workers/sharing computes, written from docs/formats.md alone:
 * bigints, Node's own HMAC and CTR, ABI words put together by hand. Nothing here calls the code
 * under test.
 */
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { keccak256 } from 'viem';
import type { Hex } from 'viem';

export type ReferenceDistribution =
  { kind: 'ternary' } | { kind: 'binomial' } | { kind: 'uniform'; bits: number };

/** A deterministic byte source for tests: SHA-256 in counter mode. */
export function seededBytes(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let at = 0; at < length; at += 32) {
      blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest());
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}

/** A residue vector below the primes, limb-major, from a seeded source. */
export function seededVector(
  primes: readonly bigint[],
  width: number,
  bytes: (length: number) => Uint8Array,
): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.from(
    primes.flatMap((prime) => Array.from({ length: width }, () => littleEndian(bytes(16)) % prime)),
  );
}

export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function stream(
  setKey: Uint8Array,
  itemId: Uint8Array,
  from: number,
  length: number,
): Buffer {
  const key = createHmac('sha256', setKey).update(itemId).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return cipher.update(Buffer.alloc(from + length)).subarray(from);
}

export function coefficientWidth(distribution: ReferenceDistribution): number {
  if (distribution.kind === 'ternary') return 8;
  if (distribution.kind === 'binomial') return 6;
  return 4 * Math.ceil((distribution.bits + 1) / 32);
}

export function coefficient(distribution: ReferenceDistribution, bytes: Uint8Array): bigint {
  const x = littleEndian(bytes);
  if (distribution.kind === 'ternary') return ((3n * x) >> 64n) - 1n;
  if (distribution.kind === 'binomial') {
    return popcount(x % (1n << 21n)) - popcount((x >> 21n) % (1n << 21n));
  }
  const range = BigInt(distribution.bits);
  return (x % (1n << (range + 1n))) - (1n << range);
}

/** r_A at some positions. */
export function setPolynomial(
  setKey: Uint8Array,
  itemId: Uint8Array,
  distribution: ReferenceDistribution,
  positions: readonly number[],
): bigint[] {
  const width = coefficientWidth(distribution);
  return positions.map((position) =>
    coefficient(distribution, stream(setKey, itemId, position * width, width)),
  );
}

/** Lagrange interpolation of points [x, y] at `at`, from the definition. */
export function interpolate(
  points: readonly (readonly [number, bigint])[],
  at: number,
  prime: bigint,
): bigint {
  let sum = 0n;
  for (const [x, y] of points) {
    let numerator = y;
    let denominator = 1n;
    for (const [other] of points) {
      if (other === x) continue;
      numerator = residue(numerator * BigInt(at - other), prime);
      denominator = residue(denominator * BigInt(x - other), prime);
    }
    sum = residue(sum + numerator * inverse(denominator, prime), prime);
  }
  return sum;
}

/** All subsets of {1..n} of `size` elements in lexicographic order, by counting through bitmaps. */
export function lexicographicSets(n: number, size: number): number[][] {
  const sets: number[][] = [];
  for (let bitmap = 0; bitmap < 1 << n; bitmap++) {
    const members = Array.from({ length: n }, (_, at) => at + 1).filter(
      (member) => bitmap & (1 << (member - 1)),
    );
    if (members.length === size) sets.push(members);
  }
  const compare = (a: number[], b: number[]): number => {
    const at = a.findIndex((member, position) => member !== b[position]);
    return at < 0 ? 0 : a[at] - b[at];
  };
  return sets.sort(compare);
}

/** Σ_{A ∋ i} r_A·f_A(i) modulo each prime at some positions, limb-major. */
export function share(
  n: number,
  index: number,
  setKeys: ReadonlyMap<number, Uint8Array>,
  item: {
    primes: readonly bigint[];
    itemId: Uint8Array;
    distribution: ReferenceDistribution;
    positions: readonly number[];
  },
): bigint[] {
  const t = (n - 1) / 3;
  const totals = item.primes.map(() => item.positions.map(() => 0n));
  lexicographicSets(n, n - t).forEach((members, number) => {
    if (!members.includes(index)) return;
    const key = setKeys.get(number)!;
    const r = setPolynomial(key, item.itemId, item.distribution, item.positions);
    const outside = Array.from({ length: n }, (_, at) => at + 1).filter(
      (j) => !members.includes(j),
    );
    item.primes.forEach((prime, limb) => {
      const points = [[0, 1n] as const, ...outside.map((j) => [j, 0n] as const)];
      const f = interpolate(points, index, prime);
      r.forEach((value, at) => {
        totals[limb][at] = residue(totals[limb][at] + value * f, prime);
      });
    });
  });
  return totals.flat();
}

/** Recursive Merkle root with the padding rule of docs/formats.md. */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  let size = 1;
  while (size < leaves.length) size *= 2;
  const zero = new Uint8Array(leaves[0].length);
  const node = (from: number, count: number): Buffer => {
    if (count === 1) return sha256(Buffer.of(0), leaves[from] ?? zero);
    return sha256(Buffer.of(1), node(from, count / 2), node(from + count / 2, count / 2));
  };
  return node(0, size);
}

/** The Merkle root of a share vector, residues written out one by one. */
export function shareRoot(residues: ArrayLike<bigint>): Buffer {
  const bytes = Buffer.alloc(Math.ceil(residues.length / 64) * 512);
  Array.from(residues).forEach((value, at) => bytes.writeBigUInt64LE(value, 8 * at));
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 512) leaves.push(bytes.subarray(at, at + 512));
  return merkleRoot(leaves);
}

/** K_A from its definition. */
export function setKey(setupDigest: Hex, number: number, seeds: readonly Uint8Array[]): Uint8Array {
  return createHmac('sha256', 'keyloom/set-key/1')
    .update(Buffer.concat([hexBytes(setupDigest), u16(number), ...seeds]))
    .digest();
}

/** Hash of a dealer's seed for a set. */
export function seedHash(
  proposalId: Hex,
  dealer: number,
  number: number,
  seed: Uint8Array,
): Buffer {
  return sha256(
    Buffer.from('keyloom/seed/1'),
    hexBytes(proposalId),
    Buffer.of(dealer),
    u16(number),
    seed,
  );
}

/** Keccak-256 of values as 32-byte big-endian words: abi.encode of static types. */
export function keccakWords(...words: readonly (bigint | number | Hex)[]): Hex {
  const encoded = words.map((word) => BigInt(word).toString(16).padStart(64, '0')).join('');
  return keccak256(`0x${encoded}`);
}

/** Domain constant: Keccak-256 of a label. */
export function label(text: string): Hex {
  return keccak256(`0x${Buffer.from(text).toString('hex')}`);
}

export function hexBytes(value: Hex): Buffer {
  return Buffer.from(value.slice(2), 'hex');
}

export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function residue(value: bigint, prime: bigint): bigint {
  return ((value % prime) + prime) % prime;
}

/** By Fermat; remembered, because interpolation meets the same few denominators all the time. */
function inverse(value: bigint, prime: bigint): bigint {
  const key = `${value}/${prime}`;
  const known = inverses.get(key) ?? power(value, prime - 2n, prime);
  inverses.set(key, known);
  return known;
}

const inverses = new Map<string, bigint>();

function power(base: bigint, exponent: bigint, prime: bigint): bigint {
  let result = 1n;
  for (let bit = exponent; bit > 0n; bit >>= 1n) {
    if (bit & 1n) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
}

function popcount(value: bigint): bigint {
  return BigInt(value.toString(2).replaceAll('0', '').length);
}

function u16(value: number): Buffer {
  return Buffer.of(value & 0xff, value >> 8);
}
