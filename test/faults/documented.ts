import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of write points in the table of docs/durability.md. */
export function documentedWritePoints(): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/durability.md'), 'utf8');
  const table = text.slice(text.indexOf('## Write points'), text.indexOf('## What is checked'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name).sort();
}
