import type { Hex } from 'viem';
import type { ParameterSet } from '../ring/parameters.ts';
import { openingId, openingPreimage, parameterSetId } from '../sharing/ids.ts';
import type { KeyReference, Opening, Session } from './opening.ts';

/** What tells an opening from all others, beside its session. */
export interface OpeningDescription {
  readonly set: ParameterSet;
  /** Of the items that the opening uses. */
  readonly itemPrefix: Hex;
  /** The keys whose shares it uses, in the operation's order. */
  readonly keys: readonly KeyReference[];
  /** Number of the opening within the operation, from 0. */
  readonly step?: number;
  readonly digit?: number;
  readonly galoisElement?: number;
  /** Number of primes, the first ones; absent for all. */
  readonly limbs?: number;
  readonly polynomials?: number;
  /** Coefficients that are opened; absent for all. */
  readonly positions?: Uint32Array | undefined;
}

/** An opening under the name that everything which fixes its bytes gives it. */
export function describeOpening(session: Session, description: OpeningDescription): Opening {
  const { set, itemPrefix, keys, step = 0, polynomials = 1, positions } = description;
  const { digit = 0, galoisElement = 0, limbs = set.primes.length } = description;
  const width = positions?.length ?? set.degree;
  const preimage = openingPreimage({
    itemPrefix,
    generations: keys,
    parameterSetId: parameterSetId(set),
    step,
    digit,
    galoisElement,
    limbs,
    width,
    polynomials,
    ...(positions && { positions }),
  });
  const id = openingId(session.setupDigest, preimage);
  const shape = { primes: set.primes.slice(0, limbs), width, polynomials };
  return { id, preimage, shape, committee: session.committee };
}
