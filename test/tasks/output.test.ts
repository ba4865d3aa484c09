import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { instant, listed, printFailure, printResult, table, vector } from '../../tasks/output.ts';
import { ClientError, ClientErrorCode } from '../../tasks/support/errors.ts';

const written = { stdout: '', stderr: '' };

beforeEach(() => {
  for (const stream of ['stdout', 'stderr'] as const) {
    written[stream] = '';
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += text as string;
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

test('a JSON result is one line with big integers as text', () => {
  printResult({ json: { value: 1n << 70n, list: [1, 2n] }, lines: ['unused'] }, true);
  expect(written.stdout).toBe('{"value":"1180591620717411303424","list":[1,"2"]}\n');
  expect(written.stderr).toBe('');
});

test('a JSON failure goes to stdout with code, advice and culprits', () => {
  const error = new ClientError(ClientErrorCode.TOO_FEW_OPERATORS, 'two of four', {
    advice: 'wait',
    culprits: [2, 4],
  });
  printFailure(error, true);
  expect(JSON.parse(written.stdout)).toMatchObject({
    error: { code: 'TOO_FEW_OPERATORS', advice: 'wait', culprits: [2, 4] },
  });
  expect(written.stderr).toBe('');
});

test('a finding is a result and a failure at once', () => {
  const failure = new ClientError(ClientErrorCode.RESULT_MISMATCH, 'it differs', { advice: 'ask' });
  printResult({ json: { openings: 2 }, lines: ['two openings'], failure }, false);
  expect(written).toEqual({
    stdout: 'two openings\n',
    stderr: 'RESULT_MISMATCH: it differs\n  ask\n',
  });
  written.stdout = '';
  printResult({ json: { openings: 2 }, lines: [], failure }, true);
  expect(JSON.parse(written.stdout)).toMatchObject({
    ...{ openings: 2, error: { code: 'RESULT_MISMATCH', advice: 'ask' } },
  });
});

test('text of strangers cannot steer the terminal', () => {
  const endpoint = 'http://a\u001b[2J\u0007\nb\u202e';
  printResult({ json: {}, lines: [endpoint] }, false);
  expect(written.stdout).toBe('http://a�[2J��b�\n');
  printFailure(new ClientError(ClientErrorCode.REVERTED, endpoint), false);
  expect(written.stderr).toBe('REVERTED: http://a�[2J��b�\n');
});

test('an error without advice shows its numbers', () => {
  const metadata = { degree: 8192, plainModulus: 1032193n };
  printFailure(new ClientError(ClientErrorCode.REVERTED, 'refused', { metadata }), false);
  expect(written.stderr).toBe('REVERTED: refused\n  degree: 8192, plainModulus: 1032193\n');
});

test('columns line up', () => {
  expect(
    table([
      ['a', 'bbb'],
      ['cccc', 'd'],
    ]),
  ).toEqual(['a     bbb', 'cccc  d']);
});

test.each<[string, bigint[]]>([
  ['0 in all 2', [0n, 0n]],
  ['1, 2', [1n, 2n]],
  ['1 (then 2 zeros)', [1n, 0n, 0n]],
  [`${'1, '.repeat(16)}… (20 values)`, Array.from({ length: 20 }, () => 1n)],
])('a vector reads "%s"', (text, values) => {
  expect(vector(values)).toBe(text);
});

test('indices and instants read as people write them', () => {
  expect([listed([]), listed([1, 3])]).toEqual(['none', '1, 3']);
  expect(instant(1_700_000_000)).toBe('2023-11-14 22:13:20 UTC');
});
