import { SharingError, SharingErrorCode } from './errors.ts';

/** The operators of an epoch, as far as sharing is concerned. See docs/formats.md, Committee. */
export interface Committee {
  /** Number of operators; their indices are 1..n. */
  readonly n: number;
  /** How many may be malicious; the degree of every sharing polynomial. */
  readonly t: number;
  /** 2t+1: what an opening, a result and an epoch need. */
  readonly quorum: number;
  /** The subsets of {1..n} of size n-t, in lexicographic order; a set's number is its position. */
  readonly sets: readonly (readonly number[])[];
}

const committees = new Map<number, Committee>(
  [1, 2, 3, 4].map((t) => {
    const n = 3 * t + 1;
    const members = Array.from({ length: n }, (_, position) => position + 1);
    const committee = { n, t, quorum: 2 * t + 1, sets: subsets(members, n - t) };
    return [n, Object.freeze(committee)];
  }),
);

/** True if there are committees of n operators: 4, 7, 10 and 13. */
export function isCommitteeSize(n: number): boolean {
  return committees.has(n);
}

/**
 * The committee of n operators; the same object each time.
 *
 * @param n 4, 7, 10 or 13
 * @throws SharingError COMMITTEE_SIZE_UNKNOWN
 */
export function committeeOf(n: number): Committee {
  const committee = committees.get(n);
  if (committee === undefined) {
    throw new SharingError(
      SharingErrorCode.COMMITTEE_SIZE_UNKNOWN,
      'a committee has 4, 7, 10 or 13 operators',
      { metadata: { n } },
    );
  }
  return committee;
}

/**
 * Numbers of the sets that contain every one of the given operators, ascending.
 *
 * @throws SharingError INDEX_OUT_OF_RANGE
 */
export function setsContaining(committee: Committee, ...indices: readonly number[]): number[] {
  for (const index of indices) assertIndex(committee, index);
  const numbers: number[] = [];
  committee.sets.forEach((members, number) => {
    if (indices.every((index) => members.includes(index))) numbers.push(number);
  });
  return numbers;
}

/** Refuses an operator index outside 1..n; 0 above all, where the secret lies. */
export function assertIndex(committee: Committee, index: number): void {
  if (!Number.isInteger(index) || index < 1 || index > committee.n) {
    throw new SharingError(
      SharingErrorCode.INDEX_OUT_OF_RANGE,
      'an operator index is an integer from 1 to n',
      { metadata: { index, n: committee.n } },
    );
  }
}

/** All subsets of `size` elements, in the order in which `items` are given. */
export function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((first, position) =>
    subsets(items.slice(position + 1), size - 1).map((rest) => [first, ...rest]),
  );
}
