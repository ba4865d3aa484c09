import { createCipheriv } from 'node:crypto';
import { bn254 } from '@noble/curves/bn254.js';
import { scalarBytes } from './scalars.ts';
import { g1BytesOf, g2BytesOf } from './state.ts';

const { Fp, Fp2, Fr } = bn254.fields;
const G2 = bn254.G2.Point;

/** Field elements are drawn with 254 bits, the length of both primes. */
const mask = 2n ** 254n - 1n;
const montgomery = 2n ** 256n;
const scalarUnit = Fr.inv(Fr.create(montgomery));
const coordinateUnit = Fp.inv(Fp.create(montgomery));
/** Order of the twist's group divided by that of G2. */
const g2Cofactor = 0x30644e72e131a029b85045b68181585e06ceecda572a2489345f2299c0f9fa8dn;
const blockBytes = 64;

/**
 * The random stream that snarkjs derives points and a beacon's secrets from: the words of ChaCha20
 * under a key of eight big-endian words, with nonce and counter starting from zero.
 *
 * Everything that comes out of it here is public: BigInts are fine.
 */
export class SeededStream {
  readonly #key: Buffer;
  #block = Buffer.alloc(0);
  #counter = 0;
  #at = blockBytes;

  /** @param seed 32 bytes at least; what follows is not used */
  constructor(seed: Uint8Array) {
    this.#key = Buffer.from(seed.subarray(0, 32)).swap32();
  }

  /** 32 bytes, little-endian: what is drawn is taken for the Montgomery form of the scalar. */
  scalar(): Uint8Array {
    return scalarBytes(Fr.mul(this.#below(Fr.ORDER), scalarUnit));
  }

  /** A point of G1 as in a file: an x for which there is a y, then a bit that says which. */
  g1(): Uint8Array {
    for (;;) {
      const x = this.#coordinate();
      const larger = this.#bit();
      const y = squareRoot(Fp, Fp.add(Fp.mul(Fp.sqr(x), x), 3n));
      if (y !== undefined) return g1BytesOf({ x, y: larger === isLarger(y) ? y : Fp.neg(y) });
    }
  }

  /** A point of G2 as in a file, taken from the twist's whole group into the subgroup. */
  g2(): Uint8Array {
    for (;;) {
      const x = Fp2.create({ c0: this.#coordinate(), c1: this.#coordinate() });
      const larger = this.#bit();
      const y = squareRoot(Fp2, Fp2.add(Fp2.mul(Fp2.sqr(x), x), twistB));
      if (y === undefined) continue;
      const signed = larger === isLarger(y.c1 === 0n ? y.c0 : y.c1) ? y : Fp2.neg(y);
      const point = clearCofactor(G2.fromAffine({ x, y: signed })).toAffine();
      return g2BytesOf({ x: [point.x.c1, point.x.c0], y: [point.y.c1, point.y.c0] });
    }
  }

  #coordinate(): bigint {
    return Fp.mul(this.#below(Fp.ORDER), coordinateUnit);
  }

  /** Four 64-bit words, the lowest first, each of two words of the stream, the higher first. */
  #below(order: bigint): bigint {
    for (;;) {
      let value = 0n;
      for (let word = 0n; word < 4n; word++) {
        const high = BigInt(this.#word());
        value |= ((high << 32n) | BigInt(this.#word())) << (64n * word);
      }
      value &= mask;
      if (value < order) return value;
    }
  }

  #bit(): boolean {
    return (this.#word() & 1) === 1;
  }

  #word(): number {
    if (this.#at === blockBytes) {
      const iv = Buffer.alloc(16);
      iv.writeUInt32LE(this.#counter++);
      this.#block = createCipheriv('chacha20', this.#key, iv).update(Buffer.alloc(blockBytes));
      this.#at = 0;
    }
    const word = this.#block.readUInt32LE(this.#at);
    this.#at += 4;
    return word;
  }
}

const twistB = Fp2.div(Fp2.create({ c0: 3n, c1: 0n }), Fp2.create({ c0: 9n, c1: 1n }));

/** Multiplies by the cofactor, in halves: it is above the group order, which noble takes no scalar of. */
function clearCofactor(point: InstanceType<typeof G2>): InstanceType<typeof G2> {
  const half = 2n ** 128n;
  const high = point.multiplyUnsafe(g2Cofactor / half).multiplyUnsafe(half);
  return high.add(point.multiplyUnsafe(g2Cofactor % half));
}

interface RootField<T> {
  readonly sqrt: (value: T) => T;
}

function squareRoot<T>(field: RootField<T>, square: T): T | undefined {
  try {
    return field.sqrt(square);
  } catch {
    return undefined;
  }
}

/** True for the larger of y and -y. */
function isLarger(y: bigint): boolean {
  return y > (Fp.ORDER - 1n) / 2n;
}
