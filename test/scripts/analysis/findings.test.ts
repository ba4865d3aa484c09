import { describe, expect, test } from 'vitest';

import {
  compareFindings,
  groupFindings,
  readExplanations,
  type SlitherElement,
  type SlitherFinding,
  type SlitherReport,
} from '../../../scripts/analysis/findings.ts';

const contract: SlitherElement = { type: 'contract', name: 'KeyManager' };
const within = (type: string, name: string, parent: SlitherElement): SlitherElement => ({
  type,
  name,
  type_specific_fields: { parent },
});
const requestKey = within('function', 'requestKey', contract);

const finding = (check: string, elements: SlitherElement[]): SlitherFinding => ({
  check,
  impact: 'Low',
  description: `${check}!\n`,
  elements,
});

const reportOf = (...detectors: SlitherFinding[]): SlitherReport => ({
  success: true,
  error: null,
  results: { detectors },
});

const timestamp = (places: number) =>
  finding('timestamp', [
    requestKey,
    ...Array.from({ length: places }, () => within('node', 'expired', requestKey)),
  ]);

const found = groupFindings(reportOf(timestamp(2)));
const table = (row: string) => readExplanations(`| a | b |\n| --- | --- |\n${row}\n`);
const row = '| `timestamp` | `KeyManager.requestKey` | 2      | Minutes. |';

describe('what slither finds', () => {
  test('is named after contract and function, whatever the lines are', () => {
    const variable = within('variable', 'limit', contract);
    const parameter = within('variable', 'degree', requestKey);
    const node = within('node', 'a = b', requestKey);
    const report = reportOf(
      finding('unused', [node]),
      finding('shadowing', [variable]),
      finding('shadowing', [parameter]),
      finding('locked', [contract]),
      timestamp(1),
    );
    expect(groupFindings(report).map(({ check, where }) => `${check} ${where}`)).toEqual([
      'locked KeyManager',
      'shadowing KeyManager.limit',
      'shadowing KeyManager.requestKey.degree',
      'timestamp KeyManager.requestKey',
      'unused KeyManager.requestKey',
    ]);
  });

  test('is counted by place', () => {
    expect(groupFindings(reportOf(timestamp(2), timestamp(1)))).toEqual([
      {
        check: 'timestamp',
        where: 'KeyManager.requestKey',
        places: 3,
        descriptions: ['timestamp!', 'timestamp!'],
      },
    ]);
    expect(groupFindings(reportOf(finding('x', [contract])))[0]?.places).toBe(1);
  });

  test('passes when the table explains it', () => {
    expect(compareFindings(found, table(row))).toEqual([]);
    expect(compareFindings([], [])).toEqual([]);
  });

  test('fails when it is new, and the row to write is shown', () => {
    expect(compareFindings(found, [])).toEqual([
      'New: timestamp in KeyManager.requestKey\ntimestamp!\n' +
        '| `timestamp` | `KeyManager.requestKey` | 2 |  |',
    ]);
  });

  test('fails when there is more of it, or less', () => {
    const [problem, ...others] = compareFindings(found, table(row.replace('2', '1')));
    expect(problem).toMatch(/^In 2 places instead of 1: timestamp in KeyManager.requestKey\n/);
    expect(others).toEqual([]);
    expect(compareFindings(found, table(row.replace('2', '3')))).toHaveLength(1);
  });

  test('fails when what is explained is gone', () => {
    expect(compareFindings([], table(row))).toEqual([
      'Explained but not found any more: timestamp in KeyManager.requestKey.',
    ]);
  });

  test('fails when a reason is missing or given twice', () => {
    expect(compareFindings(found, table(row.replace('Minutes.', '')))).toEqual([
      'Without a reason: timestamp in KeyManager.requestKey.',
    ]);
    expect(compareFindings(found, table(`${row}\n${row}`))).toEqual([
      'Explained twice: timestamp in KeyManager.requestKey.',
    ]);
  });
});
