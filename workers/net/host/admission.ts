import type { Limits } from '../limits.ts';
import { TokenBucket, type Rate } from './token-bucket.ts';

/** A bound that peers met, by what it is of. */
export const limitNames = ['questions', 'rate', 'answers', 'connections', 'frames'] as const;
export type LimitName = (typeof limitNames)[number];

/** How often each bound was met since the host was started. */
export type Refusals = Record<LimitName, number>;

/** What one peer has of this host. */
interface Use {
  questions: number;
  answerBytes: number;
  readonly connections: TokenBucket;
  /** By protocol. */
  readonly rates: Map<string, TokenBucket>;
}

/**
 * Shares this host among its peers: questions that are open, questions per time, answers that are held in
 * memory, connections per time. Every peer has the same, so that none uses up what another one needs.
 */
export class Admission {
  readonly refusals: Refusals = { questions: 0, rate: 0, answers: 0, connections: 0, frames: 0 };
  readonly #limits: Limits;
  readonly #onRefusal: (peerId: string, limit: LimitName) => void;
  readonly #uses = new Map<string, Use>();
  #questions = 0;

  constructor(
    limits: Limits,
    onRefusal: (peerId: string, limit: LimitName) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#onRefusal = onRefusal;
  }

  /**
   * Takes a place for one question of a peer.
   *
   * Returns the function that gives it back, which may be called more than once, or `undefined` when the
   * peer or the host has no place left, or the peer asks faster than it may.
   */
  enter(
    peerId: string,
    protocol = '',
    rate: Rate = this.#limits.questionRate,
  ): (() => void) | undefined {
    const use = this.#use(peerId);
    const bucket = use.rates.get(protocol) ?? new TokenBucket(rate);
    use.rates.set(protocol, bucket);
    if (!bucket.take()) return this.refuse(peerId, 'rate');
    const { openQuestions, openQuestionsPerPeer } = this.#limits;
    if (use.questions >= openQuestionsPerPeer || this.#questions >= openQuestions)
      return this.refuse(peerId, 'questions');
    use.questions += 1;
    this.#questions += 1;
    return once(() => {
      use.questions -= 1;
      this.#questions -= 1;
    });
  }

  /**
   * Takes room for an answer that is held until the peer has taken it. A peer that has no other has room for
   * one of any length.
   *
   * Returns what gives it back, as `enter` does.
   */
  hold(peerId: string, bytes: number): (() => void) | undefined {
    const use = this.#use(peerId);
    if (
      bytes > 0 &&
      use.answerBytes > 0 &&
      use.answerBytes + bytes > this.#limits.answerBytesPerPeer
    )
      return this.refuse(peerId, 'answers');
    use.answerBytes += bytes;
    return once(() => (use.answerBytes -= bytes));
  }

  /** True if the peer may have begun one more connection. */
  connect(peerId: string): boolean {
    if (this.#use(peerId).connections.take()) return true;
    this.refuse(peerId, 'connections');
    return false;
  }

  /** Counts that a peer met a bound. */
  refuse(peerId: string, limit: LimitName): undefined {
    this.refusals[limit] += 1;
    this.#onRefusal(peerId, limit);
  }

  /** What peers have at the moment, in all. */
  get held(): { readonly questions: number; readonly answerBytes: number } {
    const answers = [...this.#uses.values()].map(({ answerBytes }) => answerBytes);
    return { questions: this.#questions, answerBytes: answers.reduce((sum, one) => sum + one, 0) };
  }

  /** Of a peer that has been heard of; the host talks to few, and forgets none while it runs. */
  #use(peerId: string): Use {
    let use = this.#uses.get(peerId);
    if (use === undefined) {
      const connections = new TokenBucket(this.#limits.connectionRatePerPeer);
      use = { questions: 0, answerBytes: 0, connections, rates: new Map() };
      this.#uses.set(peerId, use);
    }
    return use;
  }
}

function once(give: () => void): () => void {
  let isHeld = true;
  return () => {
    if (isHeld) give();
    isHeld = false;
  };
}
