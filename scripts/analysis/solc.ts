#!/usr/bin/env node
/**
 * The compiler in the shape in which slither calls it: `solc --version`, and `solc --standard-json` with
 * the input on stdin. Slither's detectors read syntax trees; the bytecode, which it also asks for and
 * which takes long, is left empty.
 */
import process from 'node:process';
import { text } from 'node:stream/consumers';

import { compilerVersion, compileSolidity, type StandardInput } from '../solidity.ts';

if (process.argv.includes('--version')) {
  process.stdout.write(`Version: ${compilerVersion()}\n`);
} else {
  const output = await compileSolidity(JSON.parse(await text(process.stdin)) as StandardInput);
  const none = { object: '', sourceMap: '' };
  const evm = { bytecode: none, deployedBytecode: none, methodIdentifiers: {} };
  for (const contracts of Object.values(output.contracts ?? {}))
    for (const contract of Object.values(contracts)) Object.assign(contract, { evm });
  process.stdout.write(JSON.stringify({ sources: output.sources, contracts: output.contracts }));
}
