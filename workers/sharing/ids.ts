import { createHash } from 'node:crypto';
import { encodeAbiParameters, keccak256, parseAbiParameters, stringToHex, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import type { ParameterSet } from '../ring/parameters.ts';

/** Numbers of the operations inside item ids. */
export const Operation = {
  keyGeneration: 1,
  publicDecryption: 2,
  relinearizationKey: 3,
  galoisKey: 4,
  switchingKey: 5,
  userDecryption: 6,
  crs: 7,
} as const;

export type Operation = (typeof Operation)[keyof typeof Operation];

/** Which variable of an operation a polynomial is. */
export const Role = {
  /** Ternary secret. */
  s: 1,
  /** Binomial error; the polynomial index tells several of one operation apart. */
  e: 2,
  /** Public uniform polynomial. */
  a: 3,
  /** Flooding noise of a decryption, E in the protocols. */
  flooding: 4,
  /** Ternary ephemeral secret of a relinearization key. */
  u: 5,
  /** Ternary ephemeral secret of a user decryption. */
  v: 6,
} as const;

export type Role = (typeof Role)[keyof typeof Role];

const itemDomain = keccak256(stringToHex('keyloom/item/1'));
const openingDomain = keccak256(stringToHex('keyloom/opening/1'));

const layouts = {
  itemPrefix: parseAbiParameters('bytes32, uint256, address, bytes32, uint8, bytes32'),
  itemId: parseAbiParameters('bytes32, uint8, uint16, uint32, uint16'),
  openingId: parseAbiParameters(
    'bytes32, bytes32, bytes32, bytes32, bytes32, uint8, uint16, uint32, uint16, uint32, uint16, bytes32',
  ),
  generations: parseAbiParameters('(bytes32 keyId, uint32 generation)[]'),
  parameterSet: parseAbiParameters('string, uint32, uint64, uint64[]'),
};

/**
 * What all polynomials of one operation on one content have in common. See docs/formats.md, Ids.
 *
 * @param content digest of all inputs of the operation; never a counter or a request id
 */
export function itemPrefix(item: {
  readonly chainId: bigint;
  readonly gateway: Address;
  readonly epochId: Hex;
  readonly operation: Operation;
  readonly content: Hex;
}): Hex {
  const { chainId, gateway, epochId, operation, content } = item;
  return keccak256(
    encodeAbiParameters(layouts.itemPrefix, [
      itemDomain,
      chainId,
      gateway,
      epochId,
      operation,
      content,
    ]),
  );
}

/**
 * Id of one secret, noise or public polynomial: the only thing its randomness depends on besides
 * the set keys. Absent coordinates are 0.
 */
export function itemId(
  prefix: Hex,
  coordinates: {
    readonly role: Role;
    readonly digit?: number;
    readonly galoisElement?: number;
    readonly polynomial?: number;
  },
): Hex {
  const { role, digit = 0, galoisElement = 0, polynomial = 0 } = coordinates;
  return keccak256(
    encodeAbiParameters(layouts.itemId, [prefix, role, digit, galoisElement, polynomial]),
  );
}

/**
 * What an opening's id is the hash of, beside the set-up: everything that fixes the bytes of a share.
 * The contracts compute the id from it to know which prime a residue is modulo.
 */
export interface OpeningPreimage {
  /** Operation and content. */
  readonly itemPrefix: Hex;
  /** Hash of the key shares that are used. */
  readonly generations: Hex;
  readonly parameterSetId: Hex;
  readonly step: number;
  readonly digit: number;
  readonly galoisElement: number;
  readonly limbs: number;
  readonly width: number;
  readonly polynomials: number;
  /** 32 zero bytes for all coefficients. */
  readonly positionsDigest: Hex;
}

/**
 * The preimage of an opening's id.
 *
 * @param generations of the key shares the opening uses, in the operation's order
 * @param step round within the operation, from 0
 * @param positions coefficients that are opened; absent for all
 */
export function openingPreimage(opening: {
  readonly itemPrefix: Hex;
  readonly generations: readonly { readonly keyId: Hex; readonly generation: number }[];
  readonly parameterSetId: Hex;
  readonly step: number;
  readonly digit?: number;
  readonly galoisElement?: number;
  readonly limbs: number;
  readonly width: number;
  readonly polynomials: number;
  readonly positions?: Uint32Array;
}): OpeningPreimage {
  const { digit = 0, galoisElement = 0, positions } = opening;
  return {
    itemPrefix: opening.itemPrefix,
    generations: keccak256(encodeAbiParameters(layouts.generations, [opening.generations])),
    parameterSetId: opening.parameterSetId,
    step: opening.step,
    digit,
    galoisElement,
    limbs: opening.limbs,
    width: opening.width,
    polynomials: opening.polynomials,
    positionsDigest: positions === undefined ? zeroHash : positionsDigest(positions),
  };
}

/**
 * Name of one opening: what an operator's share commitment is signed for.
 *
 * Everything that fixes the share's bytes goes in, so one id never has two legitimate roots.
 */
export function openingId(setupDigest: Hex, preimage: OpeningPreimage): Hex {
  return keccak256(
    encodeAbiParameters(layouts.openingId, [
      openingDomain,
      setupDigest,
      preimage.itemPrefix,
      preimage.generations,
      preimage.parameterSetId,
      preimage.step,
      preimage.digit,
      preimage.galoisElement,
      preimage.limbs,
      preimage.width,
      preimage.polynomials,
      preimage.positionsDigest,
    ]),
  );
}

/** SHA-256 of the positions as little-endian u32 each. */
export function positionsDigest(positions: Uint32Array): Hex {
  const bytes = new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength);
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

/** H(string name, uint32 degree, uint64 plainModulus, uint64[] primes). */
export function parameterSetId(
  set: Pick<ParameterSet, 'name' | 'degree' | 'plainModulus' | 'primes'>,
): Hex {
  const id =
    setIds.get(set) ??
    keccak256(
      encodeAbiParameters(layouts.parameterSet, [
        set.name,
        set.degree,
        set.plainModulus,
        [...set.primes],
      ]),
    );
  setIds.set(set, id);
  return id;
}

/** They are asked for with each opening. */
const setIds = new WeakMap<object, Hex>();
