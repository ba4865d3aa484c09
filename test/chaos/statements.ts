import type { Hex } from 'viem';

/** That an operator has signed, or noted to have signed, this and nothing else for a subject. */
export interface Statement {
  /** Committee index of who says it. */
  readonly signer: number;
  /** What it is about, for example `opening 0x…`: there may be one content for it. */
  readonly subject: string;
  /** A hash of what is said. */
  readonly content: Hex;
  /** Where it was found. */
  readonly source: string;
}

/** Different things that one operator has said about one subject. */
export interface Conflict {
  readonly signer: number;
  readonly subject: string;
  /** Where each of the contents was found. */
  readonly contents: readonly { readonly content: Hex; readonly sources: readonly string[] }[];
}

/** All statements that were found, at whatever time and place. */
export class StatementBook {
  /** Sources by content, by subject, by signer. */
  readonly #said = new Map<number, Map<string, Map<Hex, Set<string>>>>();

  add({ signer, subject, content, source }: Statement): void {
    const subjects = this.#said.get(signer) ?? new Map<string, Map<Hex, Set<string>>>();
    this.#said.set(signer, subjects);
    const contents = subjects.get(subject) ?? new Map<Hex, Set<string>>();
    subjects.set(subject, contents);
    const sources = contents.get(content) ?? new Set();
    contents.set(content, sources.add(source));
  }

  /** Of how many subjects there is something by each signer, in all. */
  get size(): number {
    return [...this.#said.values()].reduce((sum, subjects) => sum + subjects.size, 0);
  }

  conflicts(): Conflict[] {
    const found: Conflict[] = [];
    for (const [signer, subjects] of this.#said)
      for (const [subject, contents] of subjects) {
        if (contents.size === 1) continue;
        const listed = [...contents].map(([content, sources]) => ({
          content,
          sources: [...sources],
        }));
        found.push({ signer, subject, contents: listed });
      }
    return found;
  }
}
