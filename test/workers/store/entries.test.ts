import { describe, expect, it } from 'vitest';
import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

describe('entries', () => {
  it('are listed in order, per request, after a restart as well', async () => {
    const path = directory();
    const store = await open(path);
    store.entries.record(word(1), 1, word(11));
    store.entries.record(word(1), 0, word(10));
    store.entries.record(word(2), 0, word(20));
    store.close();
    const { entries: again } = await open(path);
    expect(again.list(word(1))).toEqual([word(10), word(11)]);
    expect(again.list(word(2))).toEqual([word(20)]);
    expect(again.list(word(3))).toEqual([]);
  });

  it('end at the first that is missing', async () => {
    const { entries } = await open(directory());
    entries.record(word(1), 0, word(10));
    entries.record(word(1), 2, word(12));
    expect(entries.list(word(1))).toEqual([word(10)]);
    entries.record(word(2), 1, word(12));
    expect(entries.list(word(2))).toEqual([]);
  });

  it('refuse what is not a digest', async () => {
    const { entries } = await open(directory());
    expect(() => entries.record(word(1), 0, '0x12')).toThrow(
      expect.objectContaining({ code: StoreErrorCode.INVALID_ARGUMENT }),
    );
  });
});
