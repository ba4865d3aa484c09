import { automorphism } from '../ring/automorphism.ts';
import { basisOf } from '../ring/basis.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { Operation } from '../sharing/ids.ts';
import { ProtocolError, ProtocolErrorCode } from './errors.ts';
import { keyShareFor } from './opening.ts';
import type { KeyReference, Part, Session } from './opening.ts';
import { switchingDigit } from './switching-digit.ts';

/**
 * Digit d of the Galois key for the automorphism X → X^g: opens -a·s + e + P·g(s)·[limb d].
 *
 * An automorphism permutes the evaluations of a share, so g(s) costs no message.
 *
 * @param key.element g
 * @returns part that ends with the digit, as SEAL's PublicKey object
 * @throws ProtocolError GALOIS_ELEMENT_INVALID, DIGIT_OUT_OF_RANGE
 */
export function galoisKeyDigit(
  session: Session,
  key: KeyReference & { readonly set: ParameterSet; readonly element: number },
  digit: number,
): Part<Uint8Array> {
  const { keyId, generation, set, element } = key;
  requireGaloisElement(set.degree, element);
  const target = { keyId, generation };
  return switchingDigit(session, {
    operation: Operation.galoisKey,
    content: keyId,
    set,
    digit,
    galoisElement: element,
    target,
    keys: [target],
    source: (secrets) => automorphism(basisOf(set), keyShareFor(secrets, target, set).ntt, element),
  });
}

/** 1 is refused as well: it moves nothing, and SEAL's place for it is that of a switching key. */
function requireGaloisElement(degree: number, element: number): void {
  const valid =
    Number.isInteger(element) && element >= 3 && element < 2 * degree && element % 2 === 1;
  if (!valid) {
    throw new ProtocolError(
      ProtocolErrorCode.GALOIS_ELEMENT_INVALID,
      'a Galois element is odd and from 3 to 2N - 1',
      { metadata: { element, degree } },
    );
  }
}
