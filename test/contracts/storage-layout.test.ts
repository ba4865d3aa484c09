import { readFile, writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import { format, resolveConfig } from 'prettier';
import { beforeAll, describe, expect, test } from 'vitest';

import { contractSources } from '../../scripts/solidity.ts';
import { breakingChanges } from './support/layout-changes.ts';
import { readStorageLayout, type StorageLayout } from './support/storage-layout.ts';

const snapshotFile = new URL('storage-layout.json', import.meta.url);

const recorded = async () => JSON.parse(await readFile(snapshotFile, 'utf8')) as StorageLayout;

/**
 * The storage of the contracts, compared with the committed storage-layout.json: proxies keep what is in
 * storage when their code changes. UPDATE_LAYOUT=1 records it anew.
 */
describe('the storage of the contracts', () => {
  let layout: StorageLayout;
  let problems: string[];

  beforeAll(async () => {
    ({ layout, problems } = await readStorageLayout(contractSources()));
  });

  test('is in namespaces that are named after their contracts', () => {
    expect(problems).toEqual([]);
    expect(Object.keys(layout.namespaces).length).toBeGreaterThanOrEqual(8);
  });

  test('only grows at the ends', async () => {
    if (env['UPDATE_LAYOUT'] === '1') return;
    expect(breakingChanges(await recorded(), layout)).toEqual([]);
  });

  test('is recorded in storage-layout.json (UPDATE_LAYOUT=1 records it)', async () => {
    if (env['UPDATE_LAYOUT'] === '1') {
      const filepath = snapshotFile.pathname;
      const options = { ...(await resolveConfig(filepath)), filepath };
      await writeFile(snapshotFile, await format(JSON.stringify(layout), options));
    }
    expect(layout).toEqual(await recorded());
  });
});

const enums = 'enum State { None, Open, Closed }';
const record = 'struct Record { State state; uint64 deadline; address owner; }';
const item = 'struct Item { uint256 amount; uint64 deadline; }';
const members = [
  'address manager;',
  'uint64 delay;',
  'uint256 total;',
  'mapping(bytes32 id => Record) records;',
  'Item[] items;',
];

/** An example with the parts that a case replaces. */
function example(replaced: {
  enums?: string;
  record?: string;
  item?: string;
  members?: readonly string[];
  head?: string;
  tail?: string;
  annotation?: string;
  struct?: string;
  slot?: string;
}) {
  const content = `pragma solidity 0.8.37;
    ${replaced.head ?? 'contract Example {'}
      ${replaced.enums ?? enums}
      ${replaced.record ?? record}
      ${replaced.item ?? item}
      ${replaced.annotation ?? '/// @custom:storage-location erc7201:keyloom.storage.Example'}
      struct ${replaced.struct ?? 'ExampleStorage'} { ${(replaced.members ?? members).join(' ')} }
      ${replaced.slot ?? 'uint256 private constant STORAGE_SLOT = erc7201("keyloom.storage.Example");'}
    }
    ${replaced.tail ?? ''}`;
  return readStorageLayout({ 'contracts/Example.sol': { content } });
}

/** The example's members with some of them replaced, by number. */
function withMembers(changes: Record<number, string>): string[] {
  return members.map((member, i) => changes[i] ?? member);
}

describe('the comparison of layouts', () => {
  let before: StorageLayout;
  beforeAll(async () => {
    before = (await example({})).layout;
  });
  const storage = 'struct Example.ExampleStorage';
  const changesTo = async (replaced: Parameters<typeof example>[0]) =>
    breakingChanges(before, (await example(replaced)).layout);

  test('reads every struct down to the values of enums', () => {
    expect(before).toEqual({
      namespaces: { 'keyloom.storage.Example': storage },
      structs: {
        [storage]: {
          bytes: 128,
          members: [
            { label: 'manager', slot: 0, offset: 0, type: 'address' },
            { label: 'delay', slot: 0, offset: 20, type: 'uint64' },
            { label: 'total', slot: 1, offset: 0, type: 'uint256' },
            {
              label: 'records',
              slot: 2,
              offset: 0,
              type: 'mapping(bytes32 => struct Example.Record)',
            },
            { label: 'items', slot: 3, offset: 0, type: 'struct Example.Item[]' },
          ],
        },
        'struct Example.Item': {
          bytes: 64,
          members: [
            { label: 'amount', slot: 0, offset: 0, type: 'uint256' },
            { label: 'deadline', slot: 1, offset: 0, type: 'uint64' },
          ],
        },
        'struct Example.Record': {
          bytes: 32,
          members: [
            { label: 'state', slot: 0, offset: 0, type: 'enum Example.State' },
            { label: 'deadline', slot: 0, offset: 1, type: 'uint64' },
            { label: 'owner', slot: 0, offset: 9, type: 'address' },
          ],
        },
      },
      enums: { 'enum Example.State': ['None', 'Open', 'Closed'] },
    });
  });

  test.each([
    ['a member', { members: [...members, 'bytes32 last;'] }],
    ['a member of a mapping’s value', { record: record.replace('}', 'bytes32 more; }') }],
    ['a member in the last slot’s padding', { item: item.replace('}', 'uint64 more; }') }],
    ['a value of an enum', { enums: enums.replace(' }', ', Lost }') }],
  ])('allows %s at the end', async (_, replaced) => {
    expect(await changesTo(replaced)).toEqual([]);
    expect((await example(replaced)).layout).not.toEqual(before);
  });

  test.each([
    [
      'members that change places',
      { members: withMembers({ 1: 'uint256 total;', 2: 'uint64 delay;' }) },
      [
        `${storage}: delay moved from slot 0 byte 20 to slot 2 byte 0`,
        `${storage}: records moved from slot 2 byte 0 to slot 3 byte 0`,
        `${storage}: items moved from slot 3 byte 0 to slot 4 byte 0`,
      ],
    ],
    ['a member that goes', { members: withMembers({ 4: '' }) }, [`${storage}: items is gone`]],
    [
      'a member that goes from the middle',
      { members: withMembers({ 2: '' }) },
      [
        `${storage}: total is gone`,
        `${storage}: records moved from slot 2 byte 0 to slot 1 byte 0`,
        `${storage}: items moved from slot 3 byte 0 to slot 2 byte 0`,
      ],
    ],
    [
      'another name',
      { members: withMembers({ 2: 'uint256 sum;' }) },
      [`${storage}: total was renamed to sum`, `${storage}: sum is not at the end`],
    ],
    [
      'another type of the same size',
      { members: withMembers({ 2: 'bytes32 total;' }) },
      [`${storage}: total was uint256 and is bytes32`],
    ],
    [
      'another key of a mapping',
      { members: withMembers({ 3: 'mapping(address => Record) records;' }) },
      [
        `${storage}: records was mapping(bytes32 => struct Example.Record) and is ` +
          'mapping(address => struct Example.Record)',
      ],
    ],
    [
      'a new member in padding, even if nothing moves',
      { members: withMembers({ 1: 'uint64 delay; uint32 more;' }) },
      [`${storage}: more is not at the end`],
    ],
    [
      'a new member in padding that moves others',
      { record: record.replace('uint64 deadline;', 'uint16 more; uint64 deadline;') },
      [
        'struct Example.Record: deadline moved from slot 0 byte 1 to slot 0 byte 3',
        'struct Example.Record: owner moved from slot 0 byte 9 to slot 0 byte 11',
        'struct Example.Record: more is not at the end',
      ],
    ],
    [
      'a struct that is an array’s element and grows',
      { item: item.replace('}', 'uint256 more; }') },
      [`struct Example.Item: its size changes the array ${storage}.items`],
    ],
    [
      'values of an enum that change places',
      { enums: 'enum State { None, Closed, Open }' },
      [
        'enum Example.State: value 1 was Open and is Closed',
        'enum Example.State: value 2 was Closed and is Open',
      ],
    ],
    [
      'a value of an enum that goes',
      { enums: 'enum State { None, Open }' },
      ['enum Example.State: value 2 was Closed and is gone'],
    ],
  ])('refuses %s', async (_, replaced, expected) => {
    expect(await changesTo(replaced)).toEqual(expected);
  });

  test('refuses a namespace that goes or holds something else', () => {
    const gone = { ...before, namespaces: {} };
    const other = { ...before, namespaces: { 'keyloom.storage.Example': 'struct Other' } };
    expect(breakingChanges(before, gone)).toEqual([`keyloom.storage.Example: ${storage} is gone`]);
    expect(breakingChanges(before, other)).toEqual([
      `keyloom.storage.Example: ${storage} became struct Other`,
    ]);
  });
});

describe('declarations', () => {
  const slotOf = (namespace: string) =>
    `uint256 private constant STORAGE_SLOT = erc7201("${namespace}");`;
  const annotationOf = (namespace: string) => `/// @custom:storage-location erc7201:${namespace}`;

  test('agree in annotation, constant, struct and contract', async () => {
    expect((await example({})).problems).toEqual([]);
  });

  test('of an abstract half are named after the whole', async () => {
    const head = 'abstract contract Half {';
    const tail = 'contract Example is Half {}';
    expect((await example({ head, tail })).problems).toEqual([]);
  });

  test.each([
    [
      { annotation: annotationOf('keyloom.storage.Sample') },
      [
        'Example: the annotation keyloom.storage.Sample names another contract',
        `Example: erc7201("keyloom.storage.Example") is not the annotation's`,
        'Example.ExampleStorage should be SampleStorage',
      ],
    ],
    [
      { annotation: annotationOf('storage.Example') },
      [
        'Example: the annotation storage.Example names another contract',
        `Example: erc7201("keyloom.storage.Example") is not the annotation's`,
        'Example.ExampleStorage should be storage.ExampleStorage',
      ],
    ],
    [
      { slot: slotOf('keyloom.storage.Sample') },
      [`Example: erc7201("keyloom.storage.Sample") is not the annotation's`],
    ],
    [{ struct: 'Data' }, ['Example.Data should be ExampleStorage']],
    [{ slot: '' }, ['Example has 0 calls of erc7201(...), not one']],
    [{ annotation: '' }, ['Example has 0 structs with a @custom:storage-location, not one']],
    [
      {
        slot:
          slotOf('keyloom.storage.Example').replace('SLOT', 'TOO') +
          slotOf('keyloom.storage.Example'),
      },
      ['Example has 2 calls of erc7201(...), not one'],
    ],
    [
      { slot: `${annotationOf('keyloom.storage.Example')}\nstruct Too { uint256 more; }` },
      ['Example has 2 structs with a @custom:storage-location, not one'],
    ],
    [
      {
        head: 'contract UUPSUpgradeable {} contract Example is UUPSUpgradeable { uint256 loose;',
      },
      ['Example.loose is outside of the namespaces'],
    ],
  ])('are refused otherwise: %o', async (replaced, expected) => {
    expect((await example(replaced)).problems).toEqual(expected);
  });
});
