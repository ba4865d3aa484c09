import { flawNumbers, type Flaw } from '../../../workers/ceremony/flaw.ts';
import { pointBytes } from '../../../workers/curve/points.ts';
import {
  offenceId,
  offenceNumbers,
  type Evidence,
  type EvidenceKind,
} from '../../../workers/protocols/evidence.ts';
import type { ShareProof } from '../../../workers/sharing/evidence.ts';
import type { OpeningPreimage } from '../../../workers/sharing/ids.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import type { EvidenceStanding, EvidenceState } from '../../../workers/store/evidence.ts';
import type { Fields } from './fields.ts';

const KINDS = Object.keys(offenceNumbers) as EvidenceKind[];
const STATES: readonly EvidenceState[] = ['open', 'submitted', 'settled', 'hopeless'];
const LARGEST = committeeOf(13);

const FLAWS = Object.keys(flawNumbers) as Flaw['kind'][];

const HASH_BYTES = 32;
const STATE_BYTES = 18 * 32;
/** The section with the points of G2, and the last one with points that a flaw can be in. */
const G2_SECTION = 3;
const LAST_SECTION = 5;
const SIGNATURE_BYTES = 65;
const CHUNK_BYTES = 512;
/** Positions have 32 bits, so no tree over them is higher. */
const MAX_HEIGHT = 32;
const MAX_POSITION = 2 ** 32 - 1;
const [U8, U16, U32] = [2 ** 8 - 1, 2 ** 16 - 1, 2 ** 32 - 1];

/** The most that an operator lists at once. */
export const MAX_LISTED = 256;

/**
 * Whom a piece of evidence accuses, in what, and what an operator says of it. That it lists it proves
 * nothing. Whom it names as the accused's account is not looked at: the chain has that.
 * @throws SdkError `BAD_ANSWER`
 */
export function parseStanding(fields: Fields): EvidenceStanding {
  const standing = {
    offenceId: fields.bytes('offenceId', HASH_BYTES),
    ...accusationIn(fields),
    state: fields.choice('state', STATES),
    // A code, or the name of a contract's error.
    why: fields.has('why') ? fields.text('why', /^[A-Za-z0-9_]{1,64}$/) : undefined,
  };
  if (offenceId(standing) !== standing.offenceId)
    throw fields.refused('the offence has another id');
  return standing;
}

/** What an operator lists. @throws SdkError `BAD_ANSWER` */
export function parseListing(fields: Fields): EvidenceStanding[] {
  return fields.list('evidence', MAX_LISTED).map(parseStanding);
}

/**
 * Evidence in the form in which a contract can look at it. Whether it convicts is the contract's matter.
 * @throws SdkError `BAD_ANSWER`
 */
export function parseEvidence(fields: Fields): Evidence {
  const accusation = accusationIn(fields);
  switch (accusation.kind) {
    case 'wrong-share': {
      const evidence = {
        ...{ ...accusation, kind: accusation.kind },
        opening: openingIn(fields.fields('opening')),
        position: fields.integer('position', 0, MAX_POSITION),
        accusers: fields.list('accusers', LARGEST.quorum).map(shareProofIn),
        accused: shareProofIn(fields.fields('accused')),
      };
      if (evidence.accused.index === evidence.index) return evidence;
      throw fields.refused('the share is of another operator than the accused');
    }
    case 'equivocation':
      return {
        ...{ ...accusation, kind: accusation.kind },
        first: signedRootIn(fields.fields('first')),
        second: signedRootIn(fields.fields('second')),
      };
    case 'wrong-result':
      return {
        ...{ ...accusation, kind: accusation.kind },
        source: fields.address('source'),
        resultHash: fields.bytes('resultHash', HASH_BYTES),
        signature: fields.bytes('signature', SIGNATURE_BYTES),
      };
    case 'wrong-contribution':
      return {
        ...{ ...accusation, kind: accusation.kind },
        ceremonyId: fields.bytes('ceremonyId', HASH_BYTES),
        previous: fields.bytes('previous', HASH_BYTES),
        next: fields.bytes('next', STATE_BYTES),
        flaw: flawIn(fields.fields('flaw')),
        signature: fields.bytes('signature', SIGNATURE_BYTES),
      };
  }
}

const accusationIn = (fields: Fields) => ({
  kind: fields.choice('kind', KINDS),
  epochId: fields.bytes('epochId', HASH_BYTES),
  subject: fields.bytes('subject', HASH_BYTES),
  index: indexIn(fields),
});

const indexIn = (fields: Fields): number => fields.integer('index', 1, LARGEST.n);

const openingIn = (fields: Fields): OpeningPreimage => ({
  itemPrefix: fields.bytes('itemPrefix', HASH_BYTES),
  generations: fields.bytes('generations', HASH_BYTES),
  parameterSetId: fields.bytes('parameterSetId', HASH_BYTES),
  step: fields.integer('step', 0, U8),
  digit: fields.integer('digit', 0, U16),
  galoisElement: fields.integer('galoisElement', 0, U32),
  limbs: fields.integer('limbs', 0, U16),
  width: fields.integer('width', 0, U32),
  polynomials: fields.integer('polynomials', 0, U16),
  positionsDigest: fields.bytes('positionsDigest', HASH_BYTES),
});

const shareProofIn = (fields: Fields): ShareProof => ({
  index: indexIn(fields),
  signature: fields.bytes('signature', SIGNATURE_BYTES),
  chunk: fields.bytes('chunk', CHUNK_BYTES),
  path: fields.bytesList('path', HASH_BYTES, MAX_HEIGHT),
});

const flawIn = (fields: Fields): Flaw => {
  const section = fields.integer('section', 0, LAST_SECTION);
  return {
    kind: fields.choice('kind', FLAWS),
    section,
    place: fields.integer('place', 0, MAX_POSITION),
    leaves: fields.list('leaves', 2).map((leaf) => ({
      point: leaf.bytes('point', section === G2_SECTION ? pointBytes.g2 : pointBytes.g1),
      path: leaf.bytesList('path', HASH_BYTES, MAX_HEIGHT),
    })),
  };
};

const signedRootIn = (fields: Fields) => ({
  root: fields.bytes('root', HASH_BYTES),
  signature: fields.bytes('signature', SIGNATURE_BYTES),
});
