/** Writes docs/operator.schema.json from what the operator reads. A test compares the two. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import { configurationSchema } from '../workers/operator/config/config.ts';

const target = fileURLToPath(new URL('../docs/operator.schema.json', import.meta.url));
const options = { ...(await resolveConfig(target)), parser: 'json' };
writeFileSync(target, await format(JSON.stringify(configurationSchema), options));
