import type { Member, StorageLayout, StructLayout } from './storage-layout.ts';

/**
 * What an upgrade from one layout to another would break: everything but members and enum values that are
 * added at the end, and whole new namespaces. Each line names the member.
 */
export function breakingChanges(before: StorageLayout, after: StorageLayout): string[] {
  return [
    ...Object.entries(before.namespaces).flatMap(([namespace, struct]) => {
      const now = after.namespaces[namespace];
      if (now === struct) return [];
      return [`${namespace}: ${struct} ${now === undefined ? 'is gone' : `became ${now}`}`];
    }),
    ...Object.entries(before.structs).flatMap(([name, struct]) => {
      const now = after.structs[name];
      // Whatever held it says that it is gone.
      return now === undefined ? [] : structChanges(name, struct, now, after);
    }),
    ...Object.entries(before.enums).flatMap(([name, values]) => enumChanges(name, values, after)),
  ];
}

function structChanges(
  name: string,
  before: StructLayout,
  after: StructLayout,
  layout: StorageLayout,
): string[] {
  const changes: string[] = [];
  for (const [i, member] of before.members.entries()) {
    const now = after.members.find(({ label }) => label === member.label);
    const change = memberChange(member, now, after.members[i]);
    if (change !== undefined) changes.push(`${name}: ${member.label} ${change}`);
  }
  const known = new Set(before.members.map(({ label }) => label));
  for (const added of after.members.slice(0, before.members.length))
    if (!known.has(added.label)) changes.push(`${name}: ${added.label} is not at the end`);
  if (before.bytes !== after.bytes)
    for (const holder of holdersOfArrays(name, layout))
      changes.push(`${name}: its size changes the array ${holder}`);
  return changes;
}

function memberChange(
  before: Member,
  after: Member | undefined,
  inItsPlace: Member | undefined,
): string | undefined {
  if (after === undefined) {
    const renamed = inItsPlace?.type === before.type && place(inItsPlace) === place(before);
    return renamed ? `was renamed to ${inItsPlace.label}` : 'is gone';
  }
  if (after.type !== before.type) return `was ${before.type} and is ${after.type}`;
  if (place(after) !== place(before)) return `moved from ${place(before)} to ${place(after)}`;
  return undefined;
}

function place({ slot, offset }: Member): string {
  return `slot ${slot} byte ${offset}`;
}

/** Members with arrays of the struct: element i lies at i times its size. */
function holdersOfArrays(name: string, layout: StorageLayout): string[] {
  return Object.entries(layout.structs).flatMap(([holder, { members }]) =>
    members
      .filter(({ type }) => type.includes(`${name}[`))
      .map(({ label }) => `${holder}.${label}`),
  );
}

function enumChanges(name: string, before: readonly string[], layout: StorageLayout): string[] {
  const after = layout.enums[name];
  if (after === undefined) return [];
  return before.flatMap((value, i) =>
    after[i] === value ? [] : [`${name}: value ${i} was ${value} and is ${after[i] ?? 'gone'}`],
  );
}
