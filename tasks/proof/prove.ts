import { writeFile } from 'node:fs/promises';

import { blobDigest, encryptWithProof } from '../../sdk/index.ts';
import { required, valuesOf } from '../arguments.ts';
import { localAction } from '../run.ts';
import type { ProveArguments } from './index.ts';
import { statementOf } from './statement.ts';

/** `kms prove` */
export default localAction<ProveArguments>(async (args) => {
  const out = required(args.out, '--out');
  const proofOut = required(args.proofOut, '--proof-out');
  const { set, publicKey, context } = await statementOf(args);
  const { origin, ciphertext, proof } = await encryptWithProof(
    ...([set, publicKey, valuesOf(args), context] as const),
  );
  await writeFile(out, ciphertext);
  await writeFile(proofOut, proof);
  const digests = { digest: blobDigest(ciphertext), proofDigest: blobDigest(proof) };
  return {
    json: { origin, parameterSet: set.name, owner: context.user, ...digests, out, proofOut },
    lines: [
      `ciphertext: ${out}, ${ciphertext.length} bytes, SHA-256 ${digests.digest}`,
      `proof (${origin}): ${proofOut}, ${proof.length} bytes, SHA-256 ${digests.proofDigest}`,
      `\`kms register --key KEY --owner ${context.user} --in ${out} --proof ${proofOut}\` registers it`,
    ],
  };
});
