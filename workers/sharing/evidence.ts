import { bytesToHex, type Hex } from 'viem';
import type { RnsVector } from '../ring/basis.ts';
import { chunkResidues, shareChunk, shareChunkPath } from './commitment.ts';
import type { Committee } from './committee.ts';
import { firstWrongResidue, shareLength, type OpeningShape } from './opening.ts';

/** A share, and its operator's signature over the commitment to it. */
export interface SignedShare {
  readonly residues: RnsVector;
  readonly signature: Hex;
}

/** One operator's signed share, as far as a contract looks at it. */
export interface ShareProof {
  /** Committee index. */
  readonly index: number;
  readonly signature: Hex;
  /** The 64 residues around the position. */
  readonly chunk: Hex;
  /** Siblings from the chunk's leaf up to below the root. */
  readonly path: readonly Hex[];
}

/** That a share is wrong at one residue. */
export interface WrongShareProof {
  /** Index into the share's residues. */
  readonly position: number;
  /** 2t+1 operators whose residues there lie on one polynomial, ascending by index. */
  readonly accusers: readonly ShareProof[];
  /** Its residue does not. */
  readonly accused: ShareProof;
}

/**
 * Proves that a signed share is wrong, by one residue of it and of 2t+1 others.
 *
 * Those 2t+1 hold t+1 honest ones at least, which fix the polynomial: so nobody is convicted who gave
 * what it should have. See docs/accountability.md.
 *
 * @param agreeing at least 2t+1 operators that agree in the opening, `OpenedValue.agreeing`
 * @param shares of these and of the accused, by index; their signatures have been checked
 * @returns undefined if the share is right, or of another length than the opening's: the contract
 * takes the height of the tree from the shape
 * @throws SharingError SHAPE_INVALID, INDEX_OUT_OF_RANGE
 */
export function proveWrongShare(
  committee: Committee,
  shape: OpeningShape,
  shares: ReadonlyMap<number, SignedShare>,
  agreeing: readonly number[],
  accused: number,
): WrongShareProof | undefined {
  const wrong = shares.get(accused);
  const accusers = agreeing
    .filter((index) => index !== accused && shares.has(index))
    .sort((a, b) => a - b)
    .slice(0, committee.quorum);
  if (wrong === undefined || accusers.length < committee.quorum) return undefined;
  if (wrong.residues.length !== shareLength(shape)) return undefined;
  const basis = new Map(accusers.map((index) => [index, shares.get(index)!.residues]));
  const position = firstWrongResidue(committee, shape, basis, accused, wrong.residues);
  if (position === undefined) return undefined;
  const proof = (index: number): ShareProof => proveResidue(index, shares.get(index)!, position);
  return { position, accusers: accusers.map(proof), accused: proof(accused) };
}

function proveResidue(
  index: number,
  { residues, signature }: SignedShare,
  position: number,
): ShareProof {
  const chunk = Math.floor(position / chunkResidues);
  return {
    index,
    signature,
    chunk: bytesToHex(shareChunk(residues, chunk)),
    path: shareChunkPath(residues, chunk).map((sibling) => bytesToHex(sibling)),
  };
}
