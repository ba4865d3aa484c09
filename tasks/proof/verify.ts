import { readFile } from 'node:fs/promises';

import { verifyEncryption } from '../../sdk/index.ts';
import { required } from '../arguments.ts';
import { localAction } from '../run.ts';
import type { VerifyArguments } from './index.ts';
import { statementOf } from './statement.ts';

/** `kms verify` */
export default localAction<VerifyArguments>(async (args) => {
  const ciphertext = new Uint8Array(await readFile(required(args.in, '--in')));
  const proof = new Uint8Array(await readFile(required(args.proof, '--proof')));
  const { set, publicKey, context } = await statementOf(args);
  const proven = { origin: 'lattice', ciphertext, proof } as const;
  await verifyEncryption(set, publicKey, proven, context);
  return {
    json: { valid: true, origin: proven.origin, parameterSet: set.name, owner: context.user },
    lines: [`the proof holds: ${args.in} is an encryption, for ${context.user} to register`],
  };
});
