// Residues of one limb as a stream of bits, `bits` each, least significant first. See
// docs/formats.md, "Packed shares". A width in bits is in [1, 63].

/**
 * Packs n residues. Writes whole words of 8 bytes: up to 8 bytes past the stream, all zero.
 *
 * Returns 1 if every residue is below 2^bits, else 0; reads everything before it answers.
 */
export function pack(dst: usize, src: usize, n: i32, bits: u64): i32 {
  let word: u64 = 0;
  let filled: u64 = 0;
  let excess: u64 = 0;
  for (const end = src + ((<usize>n) << 3); src < end; src += 8) {
    const x = load<u64>(src);
    excess |= x >> bits;
    word |= x << filled;
    filled += bits;
    if (filled >= 64) {
      store<u64>(dst, word);
      dst += 8;
      filled -= 64;
      // What did not fit; zero if everything did.
      word = x >> (bits - filled);
    }
  }
  store<u64>(dst, word);
  return excess === 0 ? 1 : 0;
}

/** Inverse of `pack`. Reads whole words of 8 bytes: up to 8 bytes past the stream. */
export function unpack(dst: usize, src: usize, n: i32, bits: u64): void {
  const mask: u64 = ((<u64>1) << bits) - 1;
  let word = load<u64>(src);
  let used: u64 = 0;
  for (const end = dst + ((<usize>n) << 3); dst < end; dst += 8) {
    let x = word >> used;
    used += bits;
    if (used >= 64) {
      src += 8;
      word = load<u64>(src);
      used -= 64;
      // The bits that the word before lacked; a shift by `bits` is masked away.
      x |= word << (bits - used);
    }
    store<u64>(dst, x & mask);
  }
}
