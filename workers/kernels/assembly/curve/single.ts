// One point at a time, with every case of the group law: for the few points that batches leave out.

import { readElement, writeElement } from './convert';
import { copy, size, sub, zeroLanesOf } from './field';
import { addBatch, doubleBatch, pairSize } from './group';
import { allocate, mark, release } from './memory';

/** True if the bytes of a point are all zero. */
export function isInfinity<G>(bytes: usize): bool {
  let all: u64 = 0;
  for (let i: usize = 0; i < sizeof<G>() << 6; i += 8) all |= load<u64>(bytes + i);
  return all == 0;
}

/**
 * point += other for points (pairs with the same in both lanes) that are not infinity; false if the
 * sum is infinity. Needs a prepared batch.
 */
export function addSingle<G>(point: usize, other: usize): bool {
  const since = mark();
  const difference = allocate(size<G>());
  sub<G>(difference, point, other);
  const sameX = zeroLanesOf<G>(difference) != 0;
  sub<G>(difference, point + size<G>(), other + size<G>());
  const sameY = zeroLanesOf<G>(difference) != 0;
  release(since);
  if (sameX && !sameY) return false;
  if (sameX) doubleBatch<G>(point, 1);
  else addBatch<G>(point, other, 0, 1);
  return true;
}

/** dst = scalar·src for one point of a file: double and add. Needs a prepared batch. */
export function scaleSingle<G>(dst: usize, src: usize, scalar: usize): void {
  const bytes: usize = sizeof<G>() << 6;
  const since = mark();
  const base = allocate(pairSize<G>());
  const sum = allocate(pairSize<G>());
  let finite = false;
  if (!isInfinity<G>(src)) {
    readElement<G>(base, src, src);
    readElement<G>(base + size<G>(), src + (bytes >> 1), src + (bytes >> 1));
    for (let i = 255; i >= 0; i--) {
      if (finite) doubleBatch<G>(sum, 1);
      if (((load<u8>(scalar + <usize>(i >> 3)) >> (<u8>(i & 7))) & 1) == 0) continue;
      if (finite) finite = addSingle<G>(sum, base);
      else {
        memory.copy(sum, base, pairSize<G>());
        finite = true;
      }
    }
  }
  if (finite) {
    writeElement<G>(dst, dst, sum);
    writeElement<G>(dst + (bytes >> 1), dst + (bytes >> 1), sum + size<G>());
  } else memory.fill(dst, 0, bytes);
  release(since);
}
