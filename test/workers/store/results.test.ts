import { expect, it } from 'vitest';

import { StoreErrorCode } from '../../../workers/store/errors.ts';
import { temporaryStores, word } from './support.ts';

const { directory, open } = temporaryStores();

it('keeps the result of a request for ever, and refuses another', async () => {
  const path = directory();
  const store = await open(path);
  store.results.commit(word(1), word(11));
  store.results.commit(word(1), word(11));
  store.results.commit(word(2), word(11));
  store.close();
  const { results } = await open(path);
  expect(() => results.commit(word(1), word(12))).toThrow(
    expect.objectContaining({ code: StoreErrorCode.RESULT_CONFLICT }),
  );
  expect([1, 2, 3].map((id) => results.hash(word(id)))).toEqual([word(11), word(11), undefined]);
});

it('refuses what is not a hash', async () => {
  const { results } = await open(directory());
  expect(() => results.commit(word(1), '0x12')).toThrow(
    expect.objectContaining({ code: StoreErrorCode.INVALID_ARGUMENT }),
  );
});
