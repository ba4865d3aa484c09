import { readFile, writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import { expect } from 'vitest';

/** Compares gas by name with a committed snapshot. UPDATE_GAS=1 writes it anew. */
export async function expectGas(
  snapshot: URL,
  measured: Readonly<Record<string, number>>,
): Promise<void> {
  if (env['UPDATE_GAS']) await writeFile(snapshot, `${JSON.stringify(measured, null, 2)}\n`);
  expect(measured).toEqual(JSON.parse(await readFile(snapshot, 'utf8')));
}
