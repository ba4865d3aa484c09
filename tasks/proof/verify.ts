import { readFile } from 'node:fs/promises';

import { verifyInputProof } from '../../workers/proofs/input-proof.ts';
import { encryptionKey } from '../../workers/proofs/key.ts';
import { required } from '../arguments.ts';
import { localAction } from '../run.ts';
import type { VerifyArguments } from './index.ts';
import { statementOf } from './statement.ts';

/** `kms verify` */
export default localAction<VerifyArguments>(async (args) => {
  const ciphertext = new Uint8Array(await readFile(required(args.in, '--in')));
  const proof = new Uint8Array(await readFile(required(args.proof, '--proof')));
  const { set, publicKey, context, crs } = await statementOf(args);
  const statement = { key: await encryptionKey(set, publicKey), registered: ciphertext, context };
  const kind = crs === undefined ? 'lattice' : 'kzg';
  await verifyInputProof(
    statement,
    crs === undefined ? { kind: 'lattice', proof } : { kind: 'kzg', proof, crs: crs.key },
  );
  return {
    json: {
      valid: true,
      origin: kind,
      parameterSet: set.name,
      owner: context.user,
      crsDigest: crs?.key.digest,
    },
    lines: [`the proof holds: ${args.in} is an encryption, for ${context.user} to register`],
  };
});
