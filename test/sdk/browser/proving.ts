import {
  createUserKeys,
  encryptWithProof,
  instantiateKernels,
  isKeyloomError,
  parameterSet,
  provideKernels,
  verifyEncryption,
  type ProofContext,
} from '../../../sdk/index.ts';

// What a web page of a user does to register a ciphertext with a proof, and whoever looks at it.

const set = parameterSet('insecure-bfv-1024');
const { publicKey } = createUserKeys(set);
const values = { slots: [1n, 2n, 3n] };
const context: ProofContext = {
  chainId: 10n,
  contract: '0x00000000000000000000000000000000000000A5',
  user: '0x00000000000000000000000000000000000000b0',
};

const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (isKeyloomError(error) ? error.code : String(error)),
  );

const withoutKernels = await outcomeOf(encryptWithProof(set, publicKey, values, context));
const [integer, fast] = await Promise.all(
  ['integer', 'fast'].map(async (name) => {
    const response = await fetch(`${location.origin}/${name}.wasm`);
    return response.arrayBuffer();
  }),
);
provideKernels(instantiateKernels(integer, fast));

const proven = await encryptWithProof(set, publicKey, values, context);

/** Read by page.ts. */
export const outcome = {
  withoutKernels,
  length: proven.proof.length,
  accepted: await outcomeOf(verifyEncryption(set, publicKey, proven, context)),
  forOther: await outcomeOf(verifyEncryption(set, publicKey, proven, { ...context, chainId: 11n })),
};
