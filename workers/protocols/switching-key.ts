import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem';
import type { ParameterSet } from '../ring/parameters.ts';
import { Operation } from '../sharing/ids.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';
import { keyShareFor } from './opening.ts';
import type { KeyReference, Part, Session } from './opening.ts';
import { switchingDigit } from './switching-digit.ts';

const contentLayout = parseAbiParameters('bytes32, bytes32');

/**
 * Digit d of the key that switches ciphertexts under key A to key B: opens
 * -a·sB + e + P·sA·[limb d].
 *
 * It hands everything under A to whoever may decrypt under B. The gateway asks A's owner; this does
 * not.
 *
 * @param key.from A
 * @param key.to B, of the same epoch and parameter set
 * @returns part that ends with the digit, as SEAL's PublicKey object
 * @throws ProtocolError SWITCHING_TO_ITSELF, DIGIT_OUT_OF_RANGE
 */
export function switchingKeyDigit(
  session: Session,
  key: { readonly from: KeyReference; readonly to: KeyReference; readonly set: ParameterSet },
  digit: number,
): Part<Uint8Array> {
  const { from, to, set } = key;
  if (from.keyId.toLowerCase() === to.keyId.toLowerCase()) {
    throw new ProtocolError(ProtocolErrorCode.SWITCHING_TO_ITSELF, 'A and B are the same key', {
      metadata: { keyId: from.keyId },
    });
  }
  return switchingDigit(session, {
    operation: Operation.switchingKey,
    content: keccak256(encodeAbiParameters(contentLayout, [from.keyId, to.keyId])),
    set,
    digit,
    galoisElement: 0,
    target: to,
    keys: [from, to],
    source: (secrets) => keyShareFor(secrets, from, set).ntt,
  });
}
