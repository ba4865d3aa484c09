import { writeFile } from 'node:fs/promises';

import { blobDigest, encryptWithProof } from '../../sdk/index.ts';
import { required, valuesOf } from '../arguments.ts';
import { localAction } from '../run.ts';
import { encryptWithKzgProof } from '../support/kzg.ts';
import type { ProveArguments } from './index.ts';
import { statementOf } from './statement.ts';

/** `kms prove` */
export default localAction<ProveArguments>(async (args, progress) => {
  const out = required(args.out, '--out');
  const proofOut = required(args.proofOut, '--proof-out');
  const { set, publicKey, context, crs } = await statementOf(args);
  const values = valuesOf(args);
  const onProgress = (text: string): void => progress.say(text);
  const { origin, ciphertext, proof } =
    crs === undefined
      ? await encryptWithProof(set, publicKey, values, context)
      : await encryptWithKzgProof(set, publicKey, values, { context, crs, onProgress });
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
