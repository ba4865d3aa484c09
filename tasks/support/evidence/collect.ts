import { isAddressEqual, type Address, type Hex } from 'viem';

import { jsonOf, request } from '../../../sdk/http.ts';
import { SdkError, SdkErrorCode } from '../../../sdk/errors.ts';
import { offenceId, type Evidence } from '../../../workers/protocols/evidence.ts';
import type { EvidenceStanding } from '../../../workers/store/evidence.ts';
import { listProposals } from '../epochs.ts';
import type { Gateway } from '../gateway.ts';
import { askAll, type Answered, type Member } from '../operators.ts';
import { listOperators } from '../registration.ts';
import { Fields } from './fields.ts';
import { MAX_LISTED, parseEvidence, parseListing } from './parsing.ts';

const TIMEOUT_MS = 5_000;
/** A listed piece has about 400 bytes. */
const LISTING_BYTES = MAX_LISTED << 10;
/** With ten shares, at n=13, evidence has 30 kB. */
const EVIDENCE_BYTES = 128 << 10;

/** An offence that some operators say they have evidence of. */
export interface Offence extends Omit<EvidenceStanding, 'state' | 'why'> {
  /** Account of the accused operator, by the chain. */
  readonly operator: Address;
  /** Who holds evidence of it, and what has become of it as they see it. */
  readonly holders: readonly (Pick<EvidenceStanding, 'state' | 'why'> & { operator: Address })[];
}

/** An operator that could not be asked, or answered what cannot be. */
export interface Unusable {
  readonly operator: Address;
  readonly why: string;
}

/** What all operators list, by offence, and who answered nothing that can be used. */
export async function listOffences(
  gateway: Gateway,
): Promise<{ offences: Offence[]; unusable: Unusable[] }> {
  const [holders, epochs] = await Promise.all([holdersOf(gateway), committeesOf(gateway)]);
  return mergeListings(await askAll(holders, fetchListing), epochs);
}

/**
 * Merges listings by offence, in the order in which operators name them. The accused's account comes
 * from the committees; a listing with a member that no committee has is a lie, and left out as a whole.
 *
 * @param committees operators of all epochs there are, by index
 */
export function mergeListings(
  answers: readonly Answered<EvidenceStanding[]>[],
  committees: ReadonlyMap<Hex, readonly Address[]>,
): { offences: Offence[]; unusable: Unusable[] } {
  const offences = new Map<Hex, Offence>();
  const unusable: Unusable[] = [];
  const accusedOf = ({ epochId, index }: EvidenceStanding) => committees.get(epochId)?.[index - 1];
  for (const one of answers) {
    if ('failure' in one) {
      unusable.push({ operator: one.operator, why: one.failure });
      continue;
    }
    if (one.answer.some((standing) => accusedOf(standing) === undefined)) {
      unusable.push({ operator: one.operator, why: 'it accuses members that no epoch has' });
      continue;
    }
    for (const standing of one.answer) {
      const { state, why, ...offence } = standing;
      const known = offences.get(offence.offenceId)?.holders ?? [];
      if (known.some(({ operator }) => isAddressEqual(operator, one.operator))) continue;
      offences.set(offence.offenceId, {
        ...offence,
        operator: accusedOf(standing)!,
        holders: [...known, { operator: one.operator, state, why }],
      });
    }
  }
  return { offences: [...offences.values()], unusable };
}

/** Evidence of an offence as one operator serves it. */
export interface Served {
  readonly evidence: Evidence;
  readonly holder: Address;
}

/**
 * Evidence of an offence from everybody who serves it, each content once: somebody may serve what does
 * not convict. Nobody has been believed that it does.
 */
export async function fetchEvidence(
  gateway: Gateway,
  wanted: Hex,
): Promise<{ served: Served[]; unusable: Unusable[] }> {
  const holders = await holdersOf(gateway);
  const answers = await askAll(holders, (endpoint) => fetchOne(endpoint, wanted, gateway));
  const served = new Map<string, Served>();
  const unusable: Unusable[] = [];
  for (const one of answers) {
    if ('failure' in one) unusable.push({ operator: one.operator, why: one.failure });
    else if (one.answer !== undefined) {
      const content = JSON.stringify(one.answer);
      if (!served.has(content)) served.set(content, { evidence: one.answer, holder: one.operator });
    }
  }
  return { served: [...served.values()], unusable };
}

/** What an operator lists. @throws SdkError `BAD_ANSWER` */
export async function fetchListing(endpoint: string): Promise<EvidenceStanding[]> {
  const fields = await ask(endpoint, '/evidence', LISTING_BYTES);
  if (fields === undefined)
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: it lists no evidence`);
  return parseListing(fields);
}

/** Evidence of exactly this offence; undefined where the operator has none. @throws SdkError `BAD_ANSWER` */
export async function fetchOne(
  endpoint: string,
  wanted: Hex,
  { chainId, slashingManager }: Pick<Gateway, 'chainId' | 'slashingManager'>,
): Promise<Evidence | undefined> {
  const fields = await ask(endpoint, `/evidence/${wanted}`, EVIDENCE_BYTES);
  if (fields === undefined) return undefined;
  if (
    fields.text('chainId', /^\d{1,78}$/) !== String(chainId) ||
    !isAddressEqual(fields.address('slashingManager'), slashingManager)
  )
    throw fields.refused('the evidence is for another deployment');
  const evidence = parseEvidence(fields.fields('evidence'));
  if (offenceId(evidence) === wanted) return evidence;
  throw fields.refused('the evidence is of another offence');
}

async function ask(endpoint: string, path: string, maxBytes: number): Promise<Fields | undefined> {
  const answer = await request(endpoint, path, { timeoutMs: TIMEOUT_MS, maxBytes });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    throw new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: status ${answer.status}`, {
      metadata: { status: answer.status },
    });
  return new Fields(jsonOf(answer, endpoint), `${endpoint}${path}`);
}

/** Who may hold evidence: all operators that are still in business. Those slashed are. */
async function holdersOf(gateway: Gateway): Promise<Member[]> {
  const registered = await listOperators(gateway);
  return registered
    .map(({ operator, signer, endpoint, state }, position) => ({
      member: { index: position + 1, operator, signer, endpoint },
      state,
    }))
    .filter(({ state }) => state !== 'Withdrawn')
    .map(({ member }) => member);
}

async function committeesOf(gateway: Gateway): Promise<Map<Hex, readonly Address[]>> {
  const proposals = await listProposals(gateway);
  return new Map(
    proposals.flatMap(({ epochId, operators }) =>
      epochId === undefined ? [] : [[epochId, operators] as const],
    ),
  );
}
