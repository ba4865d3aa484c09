/** Writes the computed tables into docs/noise.md, docs/parameters.md and docs/input-proofs.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { withTables } from './tables.ts';

for (const name of ['noise', 'parameters', 'input-proofs']) {
  const path = new URL(`../docs/${name}.md`, import.meta.url);
  const page = withTables(readFileSync(path, 'utf8'));
  writeFileSync(path, await format(page, { ...(await resolveConfig(path)), parser: 'markdown' }));
}
