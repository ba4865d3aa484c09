import { createUserKeys, isKeyloomError, parameterSet } from '../../../sdk/index.ts';
import { encodeValues } from '../../../workers/fhe/client.ts';
import { instantiateKernels, provideKernels } from '../../../workers/kernels/loader.ts';
import { encryptForProof } from '../../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../../workers/proofs/key.ts';
import { prove } from '../../../workers/proofs/lattice/prove.ts';
import type { Statement } from '../../../workers/proofs/lattice/statement.ts';
import { verify } from '../../../workers/proofs/lattice/verify.ts';

// What a web page of a user does to register a ciphertext with a proof, and whoever looks at it.

const set = parameterSet('insecure-bfv-1024');
const { publicKey } = createUserKeys(set);

const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (isKeyloomError(error) ? error.code : String(error)),
  );

const withoutKernels = await outcomeOf(encryptionKey(set, publicKey));
const [integer, fast] = await Promise.all(
  ['integer', 'fast'].map(async (name) => {
    const response = await fetch(`${location.origin}/${name}.wasm`);
    return response.arrayBuffer();
  }),
);
provideKernels(instantiateKernels(integer, fast));

const key = await encryptionKey(set, publicKey);
const plaintext = encodeValues(set, { slots: [1n, 2n, 3n] });
const { registered, witness } = encryptForProof(key, plaintext);
const context = {
  chainId: 10n,
  contract: '0x00000000000000000000000000000000000000A5',
  user: '0x00000000000000000000000000000000000000b0',
} as const;
const statement: Statement = { key, registered, context };
const proof = await prove(statement, witness);

/** Read by page.ts. */
export const outcome = {
  withoutKernels,
  length: proof.length,
  accepted: await outcomeOf(verify(statement, proof)),
  forOther: await outcomeOf(verify({ ...statement, context: { ...context, chainId: 11n } }, proof)),
};
