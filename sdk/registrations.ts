import { concatHex, isAddressEqual, type Address, type Hex } from 'viem';

import type { Deployment } from '../workers/chain/client.ts';
import { ciphertextHandle, registrationResult } from '../workers/chain/ids.ts';
import { recoverSigner } from '../workers/chain/typed-data.ts';
import { isKeyloomError } from '../workers/errors.ts';
import { numberOfOrigin, type ProvenOrigin } from '../workers/proofs/origins.ts';
import { blobDigest } from './blobs.ts';
import { SdkError, SdkErrorCode } from './errors.ts';
import { jsonOf, refusalIn, request, type HttpAnswer } from './http.ts';
import { delay } from './polling.ts';

/** Operators verify for 80 s at most. */
const VERIFICATION_TIMEOUT_MS = 100_000;
/** How long to ask again an operator that is busy, or that does not know yet what the chain says. */
const BUSY_PATIENCE_MS = 60_000;
const BUSY_PAUSE_MS = 2_000;

/** Codes of what an operator may see otherwise a little later. */
const passing = new Set(['TOO_MANY_REQUESTS', 'OPERATOR_BUSY', 'INPUT_NOT_REGISTERED']);

/** What is to be registered by proof. */
export interface Registration {
  readonly keyId: Hex;
  /** Who may have it decrypted: for encryptions the account that the proof is bound to. */
  readonly owner: Address;
  readonly origin: ProvenOrigin;
  /** SEAL's uncompressed Ciphertext object; empty for 'computed', which operators compute themselves. */
  readonly ciphertext: Uint8Array;
  /** Or the program. */
  readonly proof: Uint8Array;
}

/** A member of the committee that is asked. */
export interface Witness {
  /** Committee index. */
  readonly index: number;
  readonly signer: Address;
  readonly endpoint: string;
}

/** What CiphertextRegistry.registerProven takes, ready to be sent by anybody. */
export interface AgreedRegistration {
  readonly handle: Hex;
  readonly proven: {
    readonly keyId: Hex;
    readonly digest: Hex;
    readonly owner: Address;
    readonly limbs: number;
    /** At the first level. */
    readonly noiseBits: number;
    readonly origin: number;
    readonly proofDigest: Hex;
    readonly inputs: readonly Hex[];
  };
  readonly signerBitmap: bigint;
  readonly signatures: Hex;
  /** Endpoints of those who signed; they hold ciphertext and proof until the chain names them, for an hour. */
  readonly heldBy: readonly string[];
}

/** What one operator found, and its signature. */
interface Vote {
  readonly witness: Witness;
  readonly digest: Hex;
  readonly limbs: number;
  readonly noiseBits: number;
  readonly inputs: readonly Hex[];
  readonly signature: Hex;
}

/**
 * Has a committee verify what is to be registered: hands it to all members at once, and is done when
 * `needed` of them have signed the same. Each signature is checked, so nothing depends on who answers.
 *
 * @param committee.epochId that of the key
 * @param committee.needed 2t+1
 * @param options.patienceMs how long to ask again whoever is busy
 * @throws SdkError `REGISTRATION_REFUSED` as soon as it cannot succeed any more, with one reason per
 * endpoint in the message
 */
export async function agreeOnRegistration(
  deployment: Deployment,
  committee: {
    readonly epochId: Hex;
    readonly members: readonly Witness[];
    readonly needed: number;
  },
  registration: Registration,
  options: { patienceMs?: number; pauseMs?: number; signal?: AbortSignal } = {},
): Promise<AgreedRegistration> {
  const { members, needed, epochId } = committee;
  const body = serializeRegistration(registration);
  const over = new AbortController();
  const signal =
    options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  const reasons: string[] = [];
  const votes = new Map<string, Vote[]>();
  let open = members.length;
  await Promise.all(
    members.map(async (witness) => {
      try {
        const answer = await post(witness.endpoint, body, signal, options);
        const vote = await voteIn(deployment, epochId, registration, witness, answer);
        const { digest, limbs, noiseBits, inputs } = vote;
        const found = JSON.stringify([digest, limbs, noiseBits, inputs]);
        votes.set(found, [...(votes.get(found) ?? []), vote]);
      } catch (cause) {
        if (!isKeyloomError(cause)) signal.throwIfAborted();
        reasons.push((cause as Error).message);
      }
      open--;
      const most = Math.max(0, ...[...votes.values()].map((alike) => alike.length));
      if (most >= needed || most + open < needed) over.abort();
    }),
  ).catch((error: unknown) => {
    // The others were given up because it is over, one way or the other.
    if (!over.signal.aborted) throw error;
  });
  options.signal?.throwIfAborted();
  const agreed = [...votes.values()].find((alike) => alike.length >= needed);
  if (agreed !== undefined) return agreement(deployment, registration, agreed.slice(0, needed));
  throw refused(votes, needed, reasons);
}

/** Length of the header ‖ header ‖ length of the ciphertext ‖ ciphertext ‖ proof (docs/operator/registrations.md). */
export function serializeRegistration({
  keyId,
  owner,
  origin,
  ciphertext,
  proof,
}: Registration): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ keyId, owner, origin }));
  const body = new Uint8Array(8 + header.length + ciphertext.length + proof.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, header.length, true);
  body.set(header, 4);
  view.setUint32(4 + header.length, ciphertext.length, true);
  body.set(ciphertext, 8 + header.length);
  body.set(proof, 8 + header.length + ciphertext.length);
  return body;
}

/** The answer of an operator, who is asked again while it is busy. */
async function post(
  endpoint: string,
  body: Uint8Array,
  signal: AbortSignal,
  { patienceMs = BUSY_PATIENCE_MS, pauseMs = BUSY_PAUSE_MS },
): Promise<HttpAnswer> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const timeoutMs = VERIFICATION_TIMEOUT_MS;
    const answer = await request(endpoint, '/registrations', {
      ...{ method: 'POST', body, timeoutMs, signal },
    });
    if (answer.status === 200) return answer;
    const { code, message } = refusalIn(answer) ?? { code: 'no reason', message: '' };
    if (!passing.has(code) || performance.now() + pauseMs >= deadline)
      throw badAnswer(endpoint, `status ${answer.status} ${code} ${message}`);
    await delay(pauseMs, signal);
    signal.throwIfAborted();
  }
}

/** Checks everything that an operator says: what is left is a signature that the contract takes. */
async function voteIn(
  deployment: Deployment,
  epochId: Hex,
  registration: Registration,
  witness: Witness,
  answer: HttpAnswer,
): Promise<Vote> {
  const { endpoint, signer } = witness;
  const said = jsonOf(answer, endpoint) as Partial<Record<keyof Vote, unknown>> | null;
  const { digest, limbs, noiseBits, inputs, signature } = said ?? {};
  if (
    !isWord(digest) ||
    !isSmall(limbs) ||
    !isSmall(noiseBits) ||
    !Array.isArray(inputs) ||
    !inputs.every(isWord) ||
    typeof signature !== 'string'
  )
    throw badAnswer(endpoint, 'not what a registration is answered with');
  const { ciphertext, origin } = registration;
  if (origin !== 'computed' && digest !== blobDigest(ciphertext))
    throw badAnswer(endpoint, 'signed for another ciphertext');
  const vote = { witness, digest, limbs, noiseBits, inputs, signature: signature as Hex };
  const signed = await recoverSigner(
    deployment,
    {
      ...{ type: 'Result', contract: 'ciphertextRegistry' },
      message: {
        epochId,
        requestId: handleOf(deployment, registration, digest),
        result: registrationResult(vote),
      },
    },
    vote.signature,
  ).catch(() => undefined);
  if (signed === undefined || !isAddressEqual(signed, signer))
    throw badAnswer(endpoint, `not signed by operator ${witness.index}`);
  return vote;
}

function agreement(
  deployment: Deployment,
  registration: Registration,
  votes: readonly Vote[],
): AgreedRegistration {
  const { keyId, owner, origin, proof } = registration;
  const [{ digest, limbs, noiseBits, inputs }] = votes;
  const ordered = votes.toSorted((a, b) => a.witness.index - b.witness.index);
  return {
    handle: handleOf(deployment, registration, digest),
    proven: {
      ...{ keyId, digest, owner, limbs, noiseBits },
      ...{ origin: numberOfOrigin(origin), proofDigest: blobDigest(proof), inputs },
    },
    signerBitmap: ordered.reduce(
      (bits, { witness }) => bits | (1n << BigInt(witness.index - 1)),
      0n,
    ),
    signatures: concatHex(ordered.map(({ signature }) => signature)),
    heldBy: ordered.map(({ witness }) => witness.endpoint),
  };
}

const handleOf = (
  deployment: Deployment,
  { keyId, owner, origin, proof }: Registration,
  digest: Hex,
): Hex =>
  ciphertextHandle(deployment, { keyId, digest, owner, origin, proofDigest: blobDigest(proof) });

const isWord = (value: unknown): value is Hex =>
  typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value);

const isSmall = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 65_536;

const badAnswer = (endpoint: string, reason: string): SdkError =>
  new SdkError(SdkErrorCode.BAD_ANSWER, `${endpoint}: ${reason}`);

function refused(
  votes: ReadonlyMap<string, readonly Vote[]>,
  needed: number,
  reasons: readonly string[],
): SdkError {
  const counts = [...votes.values()].map((alike) => alike.length);
  const agreed = Math.max(0, ...counts);
  const divided = counts.length > 1 ? `; ${counts.join(', ')} found different things` : '';
  return new SdkError(
    SdkErrorCode.REGISTRATION_REFUSED,
    `${agreed} operators signed the registration, ${needed} are needed: ${reasons.join('; ')}${divided}`,
    {
      advice:
        'If the operators say that the proof is wrong, encrypt and prove again; if they are busy or away, send the same again later.',
      metadata: { agreed, needed },
    },
  );
}
