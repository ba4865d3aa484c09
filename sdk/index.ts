// What a user of a Keyloom gateway needs outside of it, in Node and in a browser: keys of one's own,
// encryption, permits, blobs, decryption. Everything about SEAL is stock SEAL. See docs/sdk.md.

export { encrypt, type KeyPair, type Values } from '../workers/fhe/client.ts';
export { instantiateKernels, provideKernels } from '../workers/kernels/loader.ts';
export type { ProofContext } from '../workers/proofs/context.ts';
export { parameterSet, parameterSets, type ParameterSet } from '../workers/ring/parameters.ts';
export {
  maxPermitHandles,
  maxPermitSeconds,
  type UserDecryptionPermit,
} from '../workers/chain/permit.ts';
export { isKeyloomError, KeyloomError } from '../workers/errors.ts';
export { blobDigest, CONFIRMATION_PATIENCE_MS, fetchBlob, uploadBlob } from './blobs.ts';
export { AdvisedError, SdkError, SdkErrorCode } from './errors.ts';
export {
  userDecryptionPermit,
  type PermitRequest,
  type PermitScope,
  type PermitTypedData,
} from './permits.ts';
export {
  decryptAnswer,
  readPlaintext,
  type AnswerForm,
  type DecryptedValues,
} from './plaintexts.ts';
export { encryptWithProof, verifyEncryption, type ProvenEncryption } from './proving.ts';
export {
  agreeOnRegistration,
  type AgreedRegistration,
  type Registration,
  type Witness,
} from './registrations.ts';
export { checkUserKeys, createUserKeys, type UserKeys } from './user-keys.ts';
