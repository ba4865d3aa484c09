import { concatBytes, hexToBytes, stringToBytes, type Address, type Hex } from 'viem';

import { ciphertextHandle, registrationResult } from '../../chain/ids.ts';
import type { KeyEntry } from '../../chain/state.ts';
import { isKeyloomError } from '../../errors.ts';
import type { Verdict } from '../../store/verdicts.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { Seats } from '../committee/seats.ts';
import { sign, type OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { SharedWork } from '../shared-work.ts';
import { parseRegistration } from './body.ts';
import { untilInputsRegistered } from './computing.ts';
import { sha256, type PendingBlobs } from './pending-blobs.ts';
import type { Claim, Verification } from './verification.ts';

/** What a client hands to the contract, with those of 2t operators more. */
export interface SignedRegistration {
  readonly handle: Hex;
  readonly digest: Hex;
  readonly limbs: number;
  readonly noiseBits: number;
  readonly inputs: readonly Hex[];
  /** Committee index. */
  readonly index: number;
  readonly signer: Address;
  readonly signature: Hex;
}

/** A ciphertext that is verified and held. */
interface Found {
  readonly handle: Hex;
  readonly digest: Hex;
  readonly verdict: Verdict;
}

/** Verifies what anybody posts for registration, keeps it for a while, and signs it. */
export class Registrations {
  readonly #context: OperatorContext;
  readonly #chain: ChainState;
  readonly #seats: Seats;
  readonly #verification: Verification;
  readonly #pending: PendingBlobs;
  readonly #shared = new SharedWork<Found>();

  constructor(context: OperatorContext, chain: ChainState, seats: Seats, pending: PendingBlobs) {
    this.#context = context;
    this.#chain = chain;
    this.#seats = seats;
    this.#verification = context.verification;
    this.#pending = pending;
  }

  /**
   * Signs what a body is to be registered as, once it is verified.
   *
   * The signature is a function of the handle: what it says follows from the bytes that the handle
   * commits to. So to sign again, whoever asks and however often, says nothing new; nothing has to be
   * remembered, unlike of results of requests.
   *
   * @param asker address for which it waits for its turn
   * @throws OperatorError REGISTRATION_MALFORMED, KEY_NOT_ACTIVE, NOT_IN_COMMITTEE, PROOF_REFUSED,
   * CRS_UNUSABLE, INPUT_NOT_REGISTERED, BLOB_UNAVAILABLE, COMPUTATION_FAILED; OPERATOR_BUSY, also once the
   * signal aborts; FheError NOISE_TOO_LARGE
   */
  async register(
    asker: string,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<SignedRegistration> {
    const { keyId, ...posted } = parseRegistration(body);
    const key = await this.#activeKey(keyId, signal);
    const place = this.#seats.placeIn(key.epochId);
    if (place === undefined)
      throw new OperatorError(
        OperatorErrorCode.NOT_IN_COMMITTEE,
        'this operator is not in the committee of the key',
        { metadata: { keyId } },
      );
    const claim = { key, ...posted };
    if (claim.origin === 'computed') await untilInputsRegistered(this.#chain, claim.proof, signal);
    const found = await this.#found(claim, asker, signal);
    // Verifying takes a while.
    requireActive(this.#chain.now.keys.get(keyId));
    const { handle, digest, verdict } = found;
    const { limbs, noiseBits, inputs } = verdict;
    const signature = await sign(this.#context, {
      type: 'Result',
      contract: 'ciphertextRegistry',
      message: {
        epochId: key.epochId,
        requestId: handle,
        result: registrationResult({ limbs, noiseBits, inputs }),
      },
    });
    const { address: signer } = this.#context.account;
    return { handle, digest, limbs, noiseBits, inputs, index: place.index, signer, signature };
  }

  /** What a claim comes to, which is verified once however often the same address posts it. */
  async #found(claim: Claim, asker: string, signal: AbortSignal): Promise<Found> {
    const registrationId = idOf(claim);
    try {
      return (
        (await this.#known(registrationId, claim)) ??
        (await this.#shared.obtain(
          `${asker}/${registrationId}`,
          (open) => this.#verify(registrationId, claim, asker, open),
          signal,
        ))
      );
    } catch (error) {
      if (!signal.aborted || isKeyloomError(error)) throw error;
      throw new OperatorError(
        OperatorErrorCode.OPERATOR_BUSY,
        'verifying takes longer than this request may',
      );
    }
  }

  /** What is verified and held already. */
  async #known(registrationId: Hex, claim: Claim): Promise<Found | undefined> {
    const { gateway, store } = this.#context;
    const { key, owner, origin, ciphertext, proof } = claim;
    const proofDigest = sha256(proof);
    const identity = { keyId: key.keyId, digest: sha256(ciphertext), owner, origin, proofDigest };
    const handle =
      origin === 'computed'
        ? store.pending.get(registrationId)?.handle
        : ciphertextHandle(gateway, identity);
    const verdict = handle && this.#verification.known(handle);
    if (verdict === undefined) return undefined;
    const digest = origin === 'computed' ? verdict.digest : identity.digest;
    const isHeld = (await store.blobs.has(digest)) && (await store.blobs.has(proofDigest));
    return isHeld ? { handle: handle!, digest, verdict } : undefined;
  }

  async #verify(
    registrationId: Hex,
    claim: Claim,
    asker: string,
    signal: AbortSignal,
  ): Promise<Found> {
    const { gateway } = this.#context;
    const { key, owner, origin, proof } = claim;
    const { verdict, ciphertext } = await this.#verification.find(claim, { asker, signal });
    const { digest } = verdict;
    const identity = { keyId: key.keyId, digest, owner, origin, proofDigest: sha256(proof) };
    const handle = ciphertextHandle(gateway, identity);
    const now = BigInt(Math.floor(Date.now() / 1_000));
    await this.#pending.keep({ registrationId, handle, verdict, ciphertext, proof }, now);
    if (verdict.vouched) this.#verification.note(handle, verdict);
    return { handle, digest, verdict };
  }

  /** The key, once it is confirmed to be active: it may have been made a moment ago. */
  async #activeKey(keyId: Hex, signal: AbortSignal): Promise<KeyEntry> {
    for (;;) {
      const key = this.#chain.now.keys.get(keyId);
      if (key !== undefined && key.state !== 'pending') return requireActive(key);
      await this.#chain.change(signal).catch(() => requireActive(key));
    }
  }
}

function requireActive(key: KeyEntry | undefined): KeyEntry {
  if (key?.state === 'active') return key;
  throw new OperatorError(
    OperatorErrorCode.KEY_NOT_ACTIVE,
    'nothing is registered under this key: it is not known here, not ready or not in use any more',
    { metadata: { keyId: key?.keyId } },
  );
}

/** Stands for what was posted, as the handle does, but is known before anything is computed. */
function idOf({ key, owner, origin, ciphertext, proof }: Claim): Hex {
  const digests = [sha256(ciphertext), sha256(proof)].map((digest) => hexToBytes(digest));
  const parts = [hexToBytes(key.keyId), hexToBytes(owner), ...digests, stringToBytes(origin)];
  return sha256(concatBytes(parts));
}
