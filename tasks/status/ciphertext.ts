import type { Hex } from 'viem';

import type { TaskResult } from '../output.ts';
import { ciphertextOf } from '../support/ciphertexts.ts';
import type { Gateway } from '../support/gateway.ts';

/** A registered ciphertext. @throws ClientError `NOT_REGISTERED` */
export async function describeCiphertext(gateway: Gateway, handle: Hex): Promise<TaskResult> {
  const ciphertext = await ciphertextOf(gateway, handle);
  return {
    json: { kind: 'ciphertext', ...ciphertext },
    lines: [
      `ciphertext ${handle}`,
      `under key ${ciphertext.keyId}, SHA-256 ${ciphertext.digest}`,
      `${ciphertext.limbs} primes, noise of at most ${ciphertext.noiseBits} bits`,
      `owned by ${ciphertext.owner}`,
      ciphertext.proofDigest === undefined
        ? 'a registrar answers for it'
        : `registered by proof (${ciphertext.origin}), SHA-256 ${ciphertext.proofDigest}`,
      ...(ciphertext.source === undefined ? [] : [`switched from ${ciphertext.source}`]),
    ],
  };
}
