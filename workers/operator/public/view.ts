import { createHash } from 'node:crypto';
import type { Hex } from 'viem';

import type { BlobReader } from '../../store/blobs.ts';
import type { TranscriptEntry, TranscriptShare } from '../../store/transcripts.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import type { OperatorContext } from '../context.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import type { Health, HealthReport } from '../health/health.ts';
import type { HttpView } from './http.ts';
import { knownPeers } from '../committee/membership.ts';
import type { RequestProgress } from '../progress.ts';
import { Slots } from '../duties/slots.ts';
import { fetchBlob, unlessGone } from './blobs.ts';
import {
  findEvidence,
  listEvidence,
  type PublicEvidence,
  type PublicStanding,
} from './evidence.ts';
import { isRecipient, longestObject, longestUpload } from './objects.ts';
import type { Registrations, SignedRegistration } from '../registration/registrations.ts';

/** How long a blob is looked for at peers. */
const BLOB_TIMEOUT_MS = 60_000;
const FETCHES = 4;

/** What anybody may see of an operator. */
export class PublicView implements HttpView {
  readonly #context: OperatorContext;
  readonly #chain: ChainState;
  readonly #report: HealthReport;
  readonly #registrations: Registrations;
  /** Blobs that are fetched from peers at once; each is held whole until it is stored. */
  readonly #fetches = new Slots(FETCHES, BLOB_TIMEOUT_MS);

  constructor(
    context: OperatorContext,
    chain: ChainState,
    report: HealthReport,
    registrations: Registrations,
  ) {
    this.#context = context;
    this.#chain = chain;
    this.#report = report;
    this.#registrations = registrations;
  }

  get uploadLimit(): number {
    return longestUpload;
  }

  health(): Promise<Health> {
    return this.#report.report();
  }

  request(id: Hex): RequestProgress | undefined {
    return this.#context.progress.get(id);
  }

  async blob(digest: Hex): Promise<BlobReader> {
    const { store, account } = this.#context;
    // Nobody can make this operator look for bytes that the chain does not name.
    if (!this.#chain.publicDigests.has(digest))
      throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'the chain names no such object');
    const held = await unlessGone(store.blobs.read(digest));
    if (held !== undefined) return held;
    const peerIds = [...knownPeers(this.#chain.now, account.address).keys()];
    const signal = AbortSignal.timeout(BLOB_TIMEOUT_MS);
    try {
      await this.#fetches.run(signal, () =>
        fetchBlob(this.#context, peerIds, digest, longestObject, signal),
      );
      return await store.blobs.read(digest);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new OperatorError(
        OperatorErrorCode.BLOB_UNAVAILABLE,
        'no operator has sent this blob in time',
        { metadata: { digest } },
      );
    }
  }

  async transcript(openingId: Hex): Promise<TranscriptEntry> {
    const entry = await this.#context.store.transcripts.list(openingId);
    if (entry === undefined)
      throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'no share of this opening is held');
    return entry;
  }

  async share(openingId: Hex, index: number): Promise<TranscriptShare> {
    const share = await this.#context.store.transcripts.get(openingId, index);
    if (share === undefined)
      throw new OperatorError(OperatorErrorCode.NOT_FOUND, 'no such share is held');
    return share;
  }

  evidenceList(): PublicStanding[] {
    return listEvidence(this.#context, this.#chain);
  }

  evidence(offenceId: Hex): PublicEvidence {
    return findEvidence(this.#context, this.#chain, offenceId);
  }

  async expectUpload(digest: Hex, signal: AbortSignal): Promise<void> {
    try {
      while (!this.#chain.publicDigests.isUploadable(digest)) await this.#chain.change(signal);
    } catch {
      throw new OperatorError(
        OperatorErrorCode.BLOB_NOT_REGISTERED,
        'nothing confirmed on chain names this digest: register the ciphertext, or request the ' +
          'decryption to this key, first',
        { metadata: { digest } },
      );
    }
  }

  async keepUpload(digest: Hex, bytes: Uint8Array): Promise<void> {
    if (`0x${createHash('sha256').update(bytes).digest('hex')}` !== digest)
      throw new OperatorError(
        OperatorErrorCode.BLOB_DIGEST_MISMATCH,
        'the bytes do not have the digest in the URL',
        { metadata: { digest } },
      );
    if (this.#chain.publicDigests.isUserKey(digest) && !isRecipient(bytes))
      throw new OperatorError(
        OperatorErrorCode.BLOB_MALFORMED,
        'the bytes are no public key of a known parameter set',
        { metadata: { digest } },
      );
    await this.#context.store.blobs.put(bytes);
  }

  isHeld(digest: Hex): Promise<boolean> {
    return this.#context.store.blobs.has(digest);
  }

  register(asker: string, body: Uint8Array, signal: AbortSignal): Promise<SignedRegistration> {
    return this.#registrations.register(asker, body, signal);
  }
}
