import { bytesToHex, isAddressEqual, type Hex } from 'viem';

import { jsonOf, request, type HttpAnswer } from '../../../sdk/http.ts';
import { recoverSigner, signatureBytes } from '../../../workers/chain/typed-data.ts';
import { isKeyloomError } from '../../../workers/errors.ts';
import type { Opening } from '../../../workers/protocols/opening.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import { commitShare } from '../../../workers/sharing/commitment.ts';
import { shareLength } from '../../../workers/sharing/opening.ts';
import type { Gateway } from '../gateway.ts';
import type { Member } from '../operators.ts';
import type { AuditedEpoch } from './content.ts';
import type { Commitment, OperatorFindings, Refusal } from './findings.ts';

/** Without progress: a long share has longer. */
const TIMEOUT_MS = 10_000;
/** Requests that an operator may leave unanswered before it is not asked any more. */
const PATIENCE = 5;
/**
 * Things that an operator may serve and cannot be used before it is only asked for its own shares. What
 * others signed is checked by whoever is honest before it is passed on.
 */
const TRUST = 3;

/** A share whose residues have the root that its operator signed. */
export interface SignedShare extends Commitment {
  readonly residues: RnsVector;
}

/**
 * Reads signed shares from the operators' HTTP interfaces (docs/operator/http.md).
 *
 * Everybody is asked for everybody's shares: who told different peers different things is seen only
 * by comparing what those peers got. Nothing is believed but a signature over the root of the very
 * residues that came with it.
 */
export class TranscriptReader {
  readonly #gateway: Gateway;
  readonly #epoch: AuditedEpoch;
  readonly #findings: ReadonlyMap<number, OperatorFindings>;
  /** Requests without an answer, by operator. */
  readonly #unanswered = new Map<number, number>();

  /** @param findings where it is noted who does not answer, or serves what cannot be used */
  constructor(
    gateway: Gateway,
    epoch: AuditedEpoch,
    findings: ReadonlyMap<number, OperatorFindings>,
  ) {
    this.#gateway = gateway;
    this.#epoch = epoch;
    this.#findings = findings;
  }

  /**
   * The signed shares of an opening by operator: one of each root that the operator signed. Who has
   * none is left out.
   */
  async collect(opening: Opening): Promise<Map<number, SignedShare[]>> {
    const { members } = this.#epoch;
    const held = new Map(
      await Promise.all(
        members.map(async (holder) => [holder, await this.#indicesAt(holder, opening)] as const),
      ),
    );
    const trusted = new Set(
      members.filter(({ index }) => this.#findings.get(index)!.refused.length < TRUST),
    );
    const found = await Promise.all(
      members.map(async ({ index }): Promise<[number, SignedShare[]]> => {
        // Its own copy first: it is the likeliest to be there.
        const holders = members
          .filter((holder) => held.get(holder)!.includes(index))
          .filter((holder) => holder.index === index || trusted.has(holder))
          .sort((a, b) => Number(b.index === index) - Number(a.index === index));
        const shares: SignedShare[] = [];
        for (const holder of holders) {
          const share = await this.#shareAt(holder, opening, index, shares);
          if (share !== undefined) shares.push(share);
        }
        return [index, shares];
      }),
    );
    return new Map(found.filter(([, shares]) => shares.length > 0));
  }

  /** Whose shares a holder says it has. */
  async #indicesAt(holder: Member, { id }: Opening): Promise<readonly number[]> {
    const answer = await this.#ask(holder, `/transcripts/${id.slice(2)}`, {
      timeoutMs: TIMEOUT_MS,
    });
    if (answer === undefined) return [];
    const refuse = (reason: Refusal): [] => {
      this.#refuse(holder, id, undefined, reason);
      return [];
    };
    let list: Partial<Record<'openingId' | 'epochId' | 'indices', unknown>>;
    try {
      list = Object(jsonOf(answer, holder.endpoint)) as typeof list;
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      return refuse('MALFORMED');
    }
    const { openingId, epochId, indices } = list;
    if (epochId !== this.#epoch.session.epochId) return refuse('OTHER_EPOCH');
    if (openingId !== id || !Array.isArray(indices)) return refuse('MALFORMED');
    return indices as number[];
  }

  /** A holder's copy of an operator's share, unless its root is among those known already. */
  async #shareAt(
    holder: Member,
    { id, shape }: Opening,
    index: number,
    known: readonly SignedShare[],
  ): Promise<SignedShare | undefined> {
    const length = signatureBytes + 8 * shareLength(shape);
    const answer = await this.#ask(holder, `/transcripts/${id.slice(2)}/${index}`, {
      timeoutMs: TIMEOUT_MS,
      maxBytes: length,
      // Where the signature is one that has been checked, the residues need not be read again.
      stop: {
        after: signatureBytes,
        when: (start) => known.some(({ signature }) => signature === bytesToHex(start)),
      },
    });
    if (answer === undefined || answer.isStopped) return undefined;
    if (answer.body.length !== length) {
      this.#refuse(holder, id, index, 'LENGTH');
      return undefined;
    }
    const signature = bytesToHex(answer.body.subarray(0, signatureBytes));
    const residues = new BigUint64Array(answer.body.slice(signatureBytes).buffer);
    const root = commitShare(residues);
    if (known.some((share) => share.root === root)) return undefined;
    if (await this.#isSigned(index, id, { root, signature })) return { root, signature, residues };
    this.#refuse(holder, id, index, 'SIGNATURE');
    return undefined;
  }

  async #isSigned(
    index: number,
    openingId: Hex,
    { root, signature }: Commitment,
  ): Promise<boolean> {
    const { session, members } = this.#epoch;
    const message = { epochId: session.epochId, openingId, root };
    try {
      const signer = await recoverSigner(
        this.#gateway,
        { type: 'ShareCommitment', message },
        signature,
      );
      return isAddressEqual(signer, members[index - 1].signer);
    } catch (error) {
      if (isKeyloomError(error)) return false;
      throw error;
    }
  }

  /** An operator's answer; undefined if it has none, or does not answer. */
  async #ask(
    { index, endpoint }: Member,
    path: string,
    options: Parameters<typeof request>[2],
  ): Promise<HttpAnswer | undefined> {
    const findings = this.#findings.get(index)!;
    if (findings.silence !== undefined) return undefined;
    try {
      const answer = await request(endpoint, path, options);
      return answer.status === 200 ? answer : undefined;
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      const unanswered = (this.#unanswered.get(index) ?? 0) + 1;
      this.#unanswered.set(index, unanswered);
      if (unanswered >= PATIENCE) findings.silence = error.message;
      return undefined;
    }
  }

  #refuse(holder: Member, openingId: Hex, index: number | undefined, reason: Refusal): void {
    this.#findings.get(holder.index)!.refused.push({ openingId, index, reason });
  }
}
