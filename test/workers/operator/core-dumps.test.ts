import { describe, expect, it } from 'vitest';

import { mayDumpCore } from '../../../workers/operator/core-dumps.ts';

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max stack size            8388608              unlimited            bytes     ',
    `Max core file size        ${soft.padEnd(20)} unlimited            bytes     `,
    'Max resident set          unlimited            unlimited            bytes     ',
  ].join('\n');

describe('whether a crash may write memory to a disk', () => {
  it.each([
    ['0', false],
    ['1024', true],
    ['unlimited', true],
  ])('with a limit of %s', (soft, may) => {
    expect(mayDumpCore(limits(soft))).toBe(may);
  });

  it('is not known where the system does not say', () => {
    expect(mayDumpCore('')).toBeUndefined();
  });
});
