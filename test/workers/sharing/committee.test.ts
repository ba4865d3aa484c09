import { describe, expect, it } from 'vitest';
import { committeeOf, setsContaining } from '../../../workers/sharing/committee.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { lexicographicSets } from './reference.ts';

describe('committeeOf', () => {
  it.each([
    [4, 1, 4],
    [7, 2, 21],
    [10, 3, 120],
    [13, 4, 715],
  ])('knows the sets of %i operators', (n, t, count) => {
    const committee = committeeOf(n);
    expect(committee).toMatchObject({ n, t, quorum: 2 * t + 1 });
    expect(committee.sets).toHaveLength(count);
    expect(committee.sets).toEqual(lexicographicSets(n, n - t));
  });

  it.each([0, 1, 3, 5, 16, 4.5, NaN])('refuses %d operators', (n) => {
    expect(() => committeeOf(n)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.COMMITTEE_SIZE_UNKNOWN }),
    );
  });
});

describe('setsContaining', () => {
  it('finds the sets of one operator and of several', () => {
    const committee = committeeOf(13);
    expect(setsContaining(committee, 13)).toHaveLength(495);
    expect(setsContaining(committee, 1, 7)).toEqual(
      [...committee.sets.keys()].filter(
        (number) => committee.sets[number].includes(1) && committee.sets[number].includes(7),
      ),
    );
  });

  it.each([0, 5, 1.5, -1])('refuses index %d of 4', (index) => {
    expect(() => setsContaining(committeeOf(4), index)).toThrow(
      expect.objectContaining({ code: SharingErrorCode.INDEX_OUT_OF_RANGE }),
    );
  });
});
