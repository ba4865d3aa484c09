import { privateKeyToAccount } from 'viem/accounts';

import {
  blobDigest,
  checkUserKeys,
  createUserKeys,
  decryptAnswer,
  encrypt,
  fetchBlob,
  isKeyloomError,
  parameterSet,
  uploadBlob,
  userDecryptionPermit,
  type PermitRequest,
} from '../../../sdk/index.ts';

// What a web page of a user does with the sdk, from key to plaintext. The answers
// are what operators would make of a ciphertext: encryptions to the user's key.

const set = parameterSet('insecure-bfv-1024');
const keys = createUserKeys(set);
checkUserKeys(set, keys);
const account = privateKeyToAccount(`0x${'5e'.repeat(32)}`);
const request: PermitRequest = {
  chainId: 10,
  gateway: '0x00000000000000000000000000000000000000A5',
  user: account.address,
  publicKeyDigest: keys.digest,
  handles: [keys.digest],
  validFrom: 1_000,
  validUntil: 2_000,
};
const signature = await account.signTypedData(userDecryptionPermit(request));
const full = encrypt(set, keys.publicKey, { slots: [1n, 2n, 3n] });
const packed = encrypt(set, keys.publicKey, { scalar: 42n });
const stored = await uploadBlob([location.origin], packed, { needed: 1 });
const blob = await fetchBlob(['ftp://nobody', ...stored], blobDigest(packed));
const typeOf = (name: string): string => typeof (globalThis as Record<string, unknown>)[name];

/** Read by page.ts. */
export const outcome = {
  globals: {
    process: typeOf('process'),
    Buffer: typeOf('Buffer'),
    require: typeOf('require'),
  },
  slots: decryptAnswer(set, keys.secretKey, full, 'full').slots?.slice(0, 3).map(String),
  uploaded: stored.length,
  packed: decryptAnswer(set, keys.secretKey, blob, 'packed', 2).coefficients.map(String),
  signatureLength: signature.length,
  refused: refusalOf({ ...request, validUntil: 0 }),
};

function refusalOf(bad: PermitRequest): string {
  try {
    userDecryptionPermit(bad);
    return 'nothing';
  } catch (error) {
    return isKeyloomError(error) ? error.code : String(error);
  }
}
