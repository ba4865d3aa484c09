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
      ...(ciphertext.origin === undefined ? [] : [`switched from ${ciphertext.origin}`]),
    ],
  };
}
