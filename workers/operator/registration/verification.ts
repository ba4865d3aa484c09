import type { Address, Hex } from 'viem';

import { stateHash } from '../../ceremony/state.ts';
import type { GatewayClient } from '../../chain/client.ts';
import type { CiphertextEntry, GatewayState, KeyEntry } from '../../chain/state.ts';
import { isKeyloomError } from '../../errors.ts';
import { ciphertextLength, firstLimbs } from '../../fhe/ciphertext.ts';
import { bitLength, noiseAtOwnLevel, noiseBitsAtFirstLevel } from '../../fhe/first-level.ts';
import type { Host } from '../../net/host/index.ts';
import { crsKeyOf } from '../../proofs/kzg/crs.ts';
import type { ProvenOrigin } from '../../proofs/origins.ts';
import type { Store } from '../../store/store.ts';
import type { Verdict } from '../../store/verdicts.ts';
import type { ChainState } from '../chain-view/chain-state.ts';
import { parametersOf } from '../chain-view/parameter-sets.ts';
import { knownPeers } from '../committee/membership.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { fetchBlob, unlessGone } from '../public/blobs.ts';
import { SharedWork } from '../shared-work.ts';
import { longestProof } from './body.ts';
import { prepareComputation, type ComputationSources } from './computing.ts';
import { factOf, isFact } from './facts.ts';
import { sha256 } from './pending-blobs.ts';
import { powersOf } from './powers.ts';
import type { Verified, Verifier } from './verifier.ts';

/** A ciphertext, and why it should be decrypted: all that its verdict follows from. */
export interface Claim {
  readonly key: KeyEntry;
  readonly owner: Address;
  readonly origin: ProvenOrigin;
  /** Empty for what is computed. */
  readonly ciphertext: Uint8Array;
  /** Or the program. */
  readonly proof: Uint8Array;
}

/** What a claim comes to. */
export interface Finding {
  readonly verdict: Verdict;
  /** That of the claim, or what was computed. */
  readonly ciphertext: Uint8Array;
}

/** What a verdict rests on. */
type Grounds = Pick<Verdict, 'inputs' | 'facts' | 'vouched'>;

/** For whom is verified, and until when. */
export interface Asking {
  /** Undefined for what the chain asks for. */
  readonly asker?: string;
  readonly signal: AbortSignal;
}

export interface VerificationSources {
  readonly gateway: GatewayClient;
  readonly self: Address;
  readonly store: Store;
  readonly host: Host;
  readonly chain: ChainState;
  readonly verifier: Verifier;
}

/**
 * What this operator knows about ciphertexts because it has verified them itself: no signature of others
 * stands in for that. Verdicts are durable where they follow from a handle alone.
 */
export class Verification {
  readonly #sources: VerificationSources;
  readonly #shared = new SharedWork<Verdict>();
  /** Verdicts that rest on what the chain says besides: they go with the state that said so. */
  readonly #vouched = new WeakMap<GatewayState, Map<Hex, Verdict>>();

  constructor(sources: VerificationSources) {
    this.#sources = sources;
  }

  /**
   * The verdict on a registered ciphertext, verified now if it was not before: with its proof, and all that
   * it was computed from, from the own store or from peers.
   *
   * @throws OperatorError PROOF_REFUSED, CRS_UNUSABLE, INPUT_NOT_REGISTERED, REQUEST_UNSERVABLE;
   * BLOB_UNAVAILABLE, COMPUTATION_FAILED, which pass; FheError NOISE_TOO_LARGE; the signal's reason
   */
  async verdictOf(entry: CiphertextEntry, signal: AbortSignal): Promise<Verdict> {
    const { handle } = entry;
    if (entry.origin === 'vouched') return this.#vouchedFor(entry);
    const known = this.known(handle);
    if (known !== undefined) return known;
    // Not together with what somebody posts: that waits for its turn among what others post.
    return this.#shared.obtain(handle, (open) => this.#verify(entry, open), signal);
  }

  /**
   * Brings a registered ciphertext into the own store: from peers or, if it was computed and nobody has kept
   * it, by computing it again.
   *
   * @throws OperatorError BLOB_UNAVAILABLE, and what `verdictOf` throws
   */
  async bring(entry: CiphertextEntry, signal: AbortSignal): Promise<void> {
    const { store, chain } = this.#sources;
    if (await store.blobs.has(entry.digest)) return;
    const key = chain.now.keys.get(entry.keyId);
    if (key === undefined)
      throw unservable('the chain does not say what this ciphertext is', { handle: entry.handle });
    const { set } = parametersOf(chain, key);
    try {
      await this.#fetch(entry.digest, ciphertextLength(set, firstLimbs(set)), signal);
    } catch (error) {
      const isLost = isKeyloomError(error, OperatorErrorCode.BLOB_UNAVAILABLE);
      if (entry.origin !== 'computed' || !isLost) throw error;
      await this.#verify(entry, signal);
    }
  }

  /** How much waits to be verified. */
  get queue(): Verifier['queue'] {
    return this.#sources.verifier.queue;
  }

  /** The verdict that there is of a handle, if what it rests on still holds. */
  known(handle: Hex): Verdict | undefined {
    const { store, chain } = this.#sources;
    const verdict = store.verdicts.get(handle) ?? this.#vouched.get(chain.now)?.get(handle);
    const holds = verdict?.facts.every((fact) => isFact(chain, fact));
    return holds === true ? verdict : undefined;
  }

  /** Keeps a verdict in memory that is not for the store. */
  note(handle: Hex, verdict: Verdict): void {
    const { now } = this.#sources.chain;
    const noted = this.#vouched.get(now) ?? new Map<Hex, Verdict>();
    this.#vouched.set(now, noted.set(handle, verdict));
  }

  /**
   * Verifies a claim that anybody may have made.
   *
   * @throws as `verdictOf`, and OPERATOR_BUSY
   */
  async find(claim: Claim, asking: Asking): Promise<Finding> {
    const { chain } = this.#sources;
    const { set, committee } = parametersOf(chain, claim.key);
    const { limbs, noise, ciphertext, ...rest } =
      claim.origin === 'computed'
        ? await this.#compute(claim, asking)
        : await this.#check(claim, asking);
    const bits = { limbs, noiseBits: bitLength(noise) };
    const noiseBits = noiseBitsAtFirstLevel(set, committee, bits);
    const verdict = { digest: sha256(ciphertext), limbs, noise, noiseBits, ...rest };
    return { verdict, ciphertext };
  }

  /** An encryption with its proof. */
  async #check(claim: Claim, asking: Asking): Promise<Verified & Grounds> {
    const { gateway, chain, verifier } = this.#sources;
    const { key, owner, ciphertext, proof } = claim;
    const { set, committee } = parametersOf(chain, key);
    const powers =
      claim.origin === 'kzg' ? powersOf(chain.now, key.epochId, set, proof) : undefined;
    const longest = ciphertextLength(set, set.primes.length);
    const publicKey = await this.#fetch(key.digest!, longest, asking.signal);
    const found = await verifier.verify(
      {
        ...{ kind: 'encryption', set: set.name, n: committee.n, publicKey, owner, ciphertext },
        proof:
          powers === undefined
            ? { kind: 'lattice', proof }
            : { kind: 'kzg', proof, crs: crsKeyOf(powers) },
        chainId: gateway.chainId,
        contract: gateway.addresses.ciphertextRegistry,
      },
      asking,
    );
    const facts = [factOf.publicKey(key.keyId, key.digest!)];
    if (powers !== undefined) facts.push(factOf.powers(key.epochId, stateHash(powers)));
    return { ...found, inputs: [], facts, vouched: false };
  }

  /** A program over registered ciphertexts: computed here, too. */
  async #compute(claim: Claim, asking: Asking): Promise<Verified & Grounds> {
    const { chain, store, verifier } = this.#sources;
    const { set, committee } = parametersOf(chain, claim.key);
    const sources: ComputationSources = {
      chain,
      verdictOf: (entry, signal) => this.verdictOf(entry, signal),
      ciphertext: async (entry, signal) => {
        await this.bring(entry, signal);
        return store.blobs.path(entry.digest);
      },
      file: async (digest, maxBytes, signal) => {
        if (!(await store.blobs.has(digest))) await this.#fetch(digest, maxBytes, signal);
        return store.blobs.path(digest);
      },
    };
    const parameters = { set, n: committee.n };
    const { signal } = asking;
    const prepared = await prepareComputation(sources, claim, parameters, signal);
    const { task, handles, verdicts } = prepared;
    const found = await verifier.verify(task, asking).catch(async (error: unknown) => {
      // A damaged file is dropped where it is read, and comes from a peer next time.
      if (isKeyloomError(error, OperatorErrorCode.COMPUTATION_FAILED))
        for (const { digest } of [...task.inputs, ...task.entries])
          await unlessGone(store.blobs.read(digest));
      throw error;
    });
    return {
      ...{ ...found, inputs: handles },
      facts: [
        ...new Set(verdicts.flatMap(({ facts }) => facts)),
        ...task.entries.map(({ key, digest }) => factOf.entry(key, digest)),
      ],
      vouched: verdicts.some(({ vouched }) => vouched),
    };
  }

  async #verify(entry: CiphertextEntry, signal: AbortSignal): Promise<Verdict> {
    const { chain, store } = this.#sources;
    const { handle, owner, origin, digest, proofDigest } = entry;
    const key = chain.now.keys.get(entry.keyId);
    if (origin === 'vouched' || proofDigest === undefined || key?.digest === undefined)
      throw unservable('the chain does not say what this ciphertext is', { handle });
    const { set } = parametersOf(chain, key);
    const proof = await this.#fetch(proofDigest, longestProof, signal);
    const longest = ciphertextLength(set, firstLimbs(set));
    const ciphertext =
      origin === 'computed' ? new Uint8Array() : await this.#fetch(digest, longest, signal);
    const found = await this.find({ key, owner, origin, ciphertext, proof }, { signal });
    if (found.verdict.digest !== digest)
      throw unservable('the program computes another ciphertext than is registered', { handle });
    await store.blobs.put(found.ciphertext);
    if (found.verdict.vouched) this.note(handle, found.verdict);
    else store.verdicts.keep(handle, found.verdict);
    return found.verdict;
  }

  #vouchedFor({ handle, keyId, digest, limbs, noiseBits }: CiphertextEntry): Verdict {
    const { chain } = this.#sources;
    const key = chain.now.keys.get(keyId);
    if (key === undefined)
      throw unservable('the chain does not say what this ciphertext is', { handle });
    const { set, committee } = parametersOf(chain, key);
    const noise = noiseAtOwnLevel(set, committee, { limbs, noiseBits });
    return { digest, limbs, noise, noiseBits, inputs: [], facts: [], vouched: true };
  }

  #fetch(digest: Hex, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { chain, self } = this.#sources;
    const peerIds = [...knownPeers(chain.now, self).keys()];
    return fetchBlob(this.#sources, peerIds, digest, maxBytes, signal);
  }
}

const unservable = (why: string, metadata: { handle: Hex }): OperatorError =>
  new OperatorError(OperatorErrorCode.REQUEST_UNSERVABLE, why, { metadata });
