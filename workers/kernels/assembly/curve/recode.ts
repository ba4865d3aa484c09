// Scalars as short combinations of the powers of an endomorphism, in windows of signed bits.
// See docs/curve.md, "Scalar multiplication".

import * as Constants from './constants';
import { degree } from './field';
import { allocate, mark, release } from './memory';

const LIMBS = 5;
/** Limbs of a row's factor. */
const FACTOR = 7;

/** How many short scalars replace one. */
export function streams<G>(): usize {
  return degree<G>() == 1 ? 2 : 4;
}

/** Bits per window. */
export function windowBits<G>(): u32 {
  return 4;
}

/** Windows per short scalar: below 2^128 in g1 and 2^66 in g2, by magnitude. */
export function windows<G>(): usize {
  return degree<G>() == 1 ? 32 : 17;
}

// Numbers are arrays of u64 that hold 32 bits each.

function limb(a: usize, i: i32): u64 {
  return load<u64>(a + ((<usize>i) << 3));
}

function setLimb(a: usize, i: i32, x: u64): void {
  store<u64>(a + ((<usize>i) << 3), x);
}

/** product += a (n limbs) times b (m limbs); product has n + m limbs. */
function multiplyAddLimbs(product: usize, a: usize, n: i32, b: usize, m: i32): void {
  for (let i = 0; i < n; i++) {
    let carry: u64 = 0;
    const x = limb(a, i);
    for (let j = 0; j < m; j++) {
      const sum = limb(product, i + j) + x * limb(b, j) + carry;
      setLimb(product, i + j, sum & 0xffffffff);
      carry = sum >> 32;
    }
    setLimb(product, i + m, limb(product, i + m) + carry);
  }
}

/** a -= b modulo 2^160 */
function subtractLimbs(a: usize, b: usize): void {
  let borrow: i64 = 0;
  for (let j = 0; j < LIMBS; j++) {
    const difference = <i64>limb(a, j) - <i64>limb(b, j) + borrow;
    setLimb(a, j, difference & 0xffffffff);
    borrow = difference >> 32;
  }
}

/**
 * Windows of n scalars. The short scalar s of a scalar is Σ_l (2·d_l - 15)·16^l, with d_l the byte
 * at dst + (l·streams + s)·n + position. With `flip` set, streams from 2 on are negated.
 */
export function recode<G>(dst: usize, scalars: usize, n: i32): void {
  const since = mark();
  const count = <i32>streams<G>();
  const bits = <i32>windowBits<G>();
  const last = <i32>windows<G>();
  const lattice = degree<G>() == 1 ? Constants.glv : Constants.gls;
  const rowSize = <usize>((FACTOR + count * LIMBS) * 8);
  const masks = lattice + <usize>count * rowSize;
  const scalar = allocate(9 * 8);
  const product = allocate(15 * 8);
  const part = allocate(11 * 8);
  const parts = allocate(<usize>count * LIMBS * 8);
  for (let position = 0; position < n; position++) {
    for (let i = 0; i < 8; i++) {
      setLimb(scalar, i, <u64>load<u32>(scalars + ((<usize>position) << 5) + ((<usize>i) << 2)));
    }
    memory.fill(parts, 0, <usize>count * LIMBS * 8);
    memory.copy(parts, scalar, LIMBS * 8);
    for (let i = 0; i < count; i++) {
      const row = lattice + <usize>i * rowSize;
      memory.fill(product, 0, 15 * 8);
      // Half a unit: the quotient is rounded to the nearest integer.
      setLimb(product, 7, 0x80000000);
      multiplyAddLimbs(product, scalar, 8, row, FACTOR);
      for (let j = 0; j < count; j++) {
        memory.fill(part, 0, 11 * 8);
        multiplyAddLimbs(part, product + 64, LIMBS, row + <usize>((FACTOR + j * LIMBS) * 8), LIMBS);
        subtractLimbs(parts + <usize>(j * LIMBS * 8), part);
      }
    }
    let odd: usize = 0;
    for (let j = 0; j < count; j++) {
      odd |= (<usize>(limb(parts + <usize>(j * LIMBS * 8), 0) & 1)) << (<usize>j);
    }
    const mask = load<u64>(masks + (odd << 3));
    for (let i = 0; i < count; i++) {
      if (((mask >> (<u64>i)) & 1) == 0) continue;
      for (let j = 0; j < count; j++) {
        const entry = lattice + <usize>i * rowSize + <usize>((FACTOR + j * LIMBS) * 8);
        subtractLimbs(parts + <usize>(j * LIMBS * 8), entry);
      }
    }
    for (let j = 0; j < count; j++) {
      const value = parts + <usize>(j * LIMBS * 8);
      // (value + 2^m - 1)/2 has the bits of the signs ±1; adding 2^m only changes bits from m on.
      memory.fill(part, 0, 11 * 8);
      setLimb(part, 0, 1);
      subtractLimbs(value, part);
      const m = bits * last;
      const bit = <u64>(m & 31);
      setLimb(value, m >> 5, limb(value, m >> 5) + ((1 as u64) << bit));
      for (let k = m >> 5; k < LIMBS - 1; k++) {
        setLimb(value, k + 1, limb(value, k + 1) + (limb(value, k) >> 32));
        setLimb(value, k, limb(value, k) & 0xffffffff);
      }
      // In g2, ψ² negates y: digits of these streams change their sign, which is their complement.
      const flip: u64 = degree<G>() == 2 && j >= 2 ? (1 << bits) - 1 : 0;
      for (let l = 0; l < last; l++) {
        const at = l * bits + 1;
        const shift = <u64>(at & 31);
        const low = limb(value, at >> 5) >> shift;
        const high = limb(value, (at >> 5) + 1) << (32 - shift);
        const digit = ((low | high) & ((1 << bits) - 1)) ^ flip;
        store<u8>(dst + <usize>((l * count + j) * n + position), <u8>digit);
      }
    }
  }
  release(since);
}
