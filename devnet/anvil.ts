import { createRequire } from 'node:module';

import { DevnetError, DevnetErrorCode } from './errors.ts';

/** The platform's package, named as Go names machines; devnet/anvil/package.json lists them all. */
const platformPackage = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
const program = process.platform === 'win32' ? 'anvil.exe' : 'anvil';

/**
 * Anvil's program. Its npm package is a wrapper whose install script fails on platforms without a
 * program, so this project depends on the programs' own packages.
 *
 * @throws DevnetError CLIENT_MISSING
 */
export function anvilProgram(): string {
  try {
    return createRequire(import.meta.url).resolve(`${platformPackage}/bin/${program}`);
  } catch (cause) {
    throw new DevnetError(
      DevnetErrorCode.CLIENT_MISSING,
      `There is no Anvil for ${process.platform} on ${process.arch}, or optional packages were left out.`,
      { metadata: { platformPackage }, cause },
    );
  }
}
