import { bytesToHex, isAddressEqual, type Hex } from 'viem';

import { jsonOf, request, type HttpAnswer } from '../../sdk/http.ts';
import type { Member } from '../../tasks/support/operators.ts';
import type { Deployment } from '../../workers/chain/client.ts';
import { recoverSigner, signatureBytes } from '../../workers/chain/typed-data.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { commitShare } from '../../workers/sharing/commitment.ts';
import type { Statement } from './statements.ts';

/** Openings that are asked for at the same time. */
const AT_ONCE = 4;
const TIMEOUT_MS = 10_000;

/** Reads over HTTP what each operator holds of everybody's signed shares (docs/operator/http.md). */
export class SignedShares {
  readonly #deployment: Deployment;
  readonly #epochId: Hex;
  readonly #members: readonly Member[];
  /** Copies that were read before: a holder keeps the first that it got. */
  readonly #read = new Set<string>();

  constructor(deployment: Deployment, epochId: Hex, members: readonly Member[]) {
    this.#deployment = deployment;
    this.#epochId = epochId;
    this.#members = members;
  }

  /** What was not read before. Whoever is away, or has nothing, is left out; so is what is not signed. */
  async collect(openings: readonly Hex[]): Promise<Statement[]> {
    const next = openings.values();
    const found: Statement[] = [];
    const work = async (): Promise<void> => {
      for (const id of next) found.push(...(await this.#sharesOf(id)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  }

  async #sharesOf(openingId: Hex): Promise<Statement[]> {
    const path = `/transcripts/${openingId.slice(2)}`;
    const statements: Statement[] = [];
    for (const holder of this.#members) {
      const answer = await ask(holder, path);
      if (answer === undefined) continue;
      const { indices } = jsonOf(answer, holder.endpoint) as { indices: number[] };
      for (const index of indices) {
        const copy = `${path}/${index} at ${holder.index}`;
        if (this.#read.has(copy)) continue;
        const share = await ask(holder, `${path}/${index}`);
        if (share !== undefined) this.#read.add(copy);
        const root = share && (await this.#signedRoot(openingId, index, share.body));
        if (root === undefined) continue;
        const source = `transcript at operator ${holder.index}`;
        statements.push({ signer: index, subject: `opening ${openingId}`, content: root, source });
      }
    }
    return statements;
  }

  /** The root of a share, if its operator has signed it: whoever serves may have made it up. */
  async #signedRoot(openingId: Hex, index: number, body: Uint8Array): Promise<Hex | undefined> {
    const residues = body.slice(signatureBytes);
    if (residues.length === 0 || residues.length % 8 !== 0) return undefined;
    const root = commitShare(new BigUint64Array(residues.buffer));
    const signature = bytesToHex(body.subarray(0, signatureBytes));
    const message = { epochId: this.#epochId, openingId, root };
    try {
      const statement = { type: 'ShareCommitment', message } as const;
      const signer = await recoverSigner(this.#deployment, statement, signature);
      return isAddressEqual(signer, this.#members[index - 1].signer) ? root : undefined;
    } catch (error) {
      if (!isKeyloomError(error)) throw error;
      return undefined;
    }
  }
}

/** The answer of an operator; undefined if it has none, or is away. */
async function ask({ endpoint }: Member, path: string): Promise<HttpAnswer | undefined> {
  try {
    const answer = await request(endpoint, path, { timeoutMs: TIMEOUT_MS });
    return answer.status === 200 ? answer : undefined;
  } catch (error) {
    if (!isKeyloomError(error)) throw error;
    return undefined;
  }
}
