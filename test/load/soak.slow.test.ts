import { expect, it } from 'vitest';

import { parameterSet } from '../../workers/ring/parameters.ts';
import { excesses, soak } from './soak.ts';

it('keeps nothing open and no buffers of requests that are over, and little else', async () => {
  const soaked = await soak(parameterSet('insecure-bfv-1024-b17'), 1_600);
  expect(excesses(soaked)).toEqual([]);
});
