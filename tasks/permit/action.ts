import { writeFile } from 'node:fs/promises';

import { blobDigest, type PermitScope } from '../../sdk/index.ts';
import { idOf, invalidArgument, listOf, required } from '../arguments.ts';
import { instant } from '../output.ts';
import { action } from '../run.ts';
import { checkedAddress } from '../support/gateway.ts';
import { permitDocument, signPermit } from '../support/permits.ts';
import { readKey } from '../support/user-keys.ts';
import type { PermitArguments } from './index.ts';

/** `kms permit` */
export default action<PermitArguments>(async (args, { gateway }) => {
  const scope = scopeOf(args);
  const out = required(args.out, '--out');
  const publicKeyDigest = blobDigest(await readKey(required(args.keyFile, '--key-file')));
  const signed = await signPermit(gateway, {
    ...scope,
    publicKeyDigest,
    validSeconds: args.validFor,
  });
  const document = permitDocument(signed);
  await writeFile(out, `${JSON.stringify(document, undefined, 2)}\n`);
  const { user, validUntil } = signed.permit.message;
  return {
    json: { ...document, file: out },
    lines: [
      `${user} allows decryption to the key with SHA-256 ${publicKeyDigest}`,
      scope.handles === undefined
        ? `of every ciphertext that ${scope.owner} owns`
        : `of ${scope.handles.length} ciphertexts`,
      `until ${instant(Number(validUntil))}; written to ${out}`,
    ],
  };
});

function scopeOf({ handle, owner }: PermitArguments): PermitScope {
  if ((handle === undefined) === (owner === undefined))
    throw invalidArgument('give either --handle or --owner');
  if (owner !== undefined) return { owner: checkedAddress(owner, '--owner') };
  return { handles: listOf(handle, '--handle').map((one) => idOf(one, '--handle')) };
}
