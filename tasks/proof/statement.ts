import { readFile } from 'node:fs/promises';

import type { ParameterSet, ProofContext } from '../../sdk/index.ts';
import { idOf, integerOf, required, setOf } from '../arguments.ts';
import { crsByDigest, type Crs } from '../../workers/proofs/kzg/crs.ts';
import { checkedAddress } from '../support/gateway.ts';
import type { StatementArguments } from './index.ts';

/** What a proof is about, read from the arguments. @throws ClientError `INVALID_ARGUMENT` */
export async function statementOf(args: StatementArguments): Promise<{
  set: ParameterSet;
  publicKey: Uint8Array;
  context: ProofContext;
  /** Of a kzg proof. */
  crs: Crs | undefined;
}> {
  const context = {
    chainId: integerOf(required(args.chainId, '--chain-id'), '--chain-id'),
    contract: checkedAddress(required(args.registry, '--registry'), '--registry'),
    user: checkedAddress(required(args.owner, '--owner'), '--owner'),
  };
  const file = required(args.publicKeyFile, '--public-key-file');
  return {
    ...{ set: setOf(args.set), context },
    publicKey: new Uint8Array(await readFile(file)),
    crs: await crsOf(args),
  };
}

/** Who made the powers of another file proves anything with them, and may see through proofs. */
async function crsOf({ crs, crsDigest }: StatementArguments): Promise<Crs | undefined> {
  if (crs === undefined && crsDigest === undefined) return undefined;
  const file = new Uint8Array(await readFile(required(crs, '--crs')));
  return crsByDigest(file, idOf(required(crsDigest, '--crs-digest'), '--crs-digest'));
}
