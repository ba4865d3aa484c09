import type { Socket } from 'node:net';

import type { Chance } from './chance.ts';
import type { Conditions } from './relay.ts';

/** What a sender of TCP waits at least before it sends again what was lost. */
const RETRANSMISSION_MS = 200;
/** Bytes under way from which on no more are read: the sender's window. */
const WINDOW_BYTES = 4 << 20;

interface Segment {
  readonly bytes: Buffer;
  /** Not delivered before this time of `performance.now()`. */
  readonly due: number;
}

/** One direction of one connection: what `source` sends reaches `target` as the conditions let it. */
export class Pipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #link: { readonly chance: Chance; readonly conditions: Conditions; bytes: number };
  readonly #onReset: () => void;
  readonly #underWay: Segment[] = [];
  #bytesUnderWay = 0;
  /** When the last segment is due, and when the link is free for the next. */
  #lastDue = 0;
  #freeAt = 0;
  #hasEnded = false;
  #hasClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param onReset tells the target that the source is gone */
  constructor(
    source: Socket,
    target: Socket,
    link: { readonly chance: Chance; readonly conditions: Conditions; bytes: number },
    onReset: () => void,
  ) {
    this.#source = source;
    this.#target = target;
    this.#link = link;
    this.#onReset = onReset;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.once('end', () => {
      this.#hasEnded = true;
      this.advance();
    });
    source.once('close', () => {
      this.#hasClosed = true;
      this.advance();
    });
    target.on('drain', () => this.advance());
    target.once('close', () => clearTimeout(this.#timer));
    this.advance();
  }

  /** Delivers what is due and may pass; to be called when conditions have changed, too. */
  advance(): void {
    clearTimeout(this.#timer);
    const { cut, stalled } = this.#link.conditions;
    const passes = cut === undefined && stalled !== true;
    const now = performance.now();
    while (passes && !this.#target.writableNeedDrain) {
      const next = this.#underWay[0];
      if (next === undefined || next.due > now) break;
      this.#underWay.shift();
      this.#bytesUnderWay -= next.bytes.length;
      this.#link.bytes += next.bytes.length;
      this.#target.write(next.bytes);
    }
    // A cut hides that the source is gone, a slow reader does not see it.
    if (passes && this.#underWay.length === 0) this.#end();
    if (passes && this.#bytesUnderWay < WINDOW_BYTES) this.#source.resume();
    else this.#source.pause();
    const wait = this.#underWay[0]?.due;
    if (passes && wait !== undefined && wait > now)
      this.#timer = setTimeout(() => this.advance(), wait - now);
  }

  #take(bytes: Buffer): void {
    const { latencyMs = 0, bytesPerSecond, loss = 0, reset = 0 } = this.#link.conditions;
    if (this.#link.chance(reset)) {
      this.#source.resetAndDestroy();
      return;
    }
    const now = performance.now();
    if (bytesPerSecond !== undefined)
      this.#freeAt = Math.max(now, this.#freeAt) + (1000 * bytes.length) / bytesPerSecond;
    const again = this.#link.chance(loss) ? RETRANSMISSION_MS + latencyMs : 0;
    // What comes after a lost segment waits for it.
    this.#lastDue = Math.max(this.#lastDue, Math.max(now, this.#freeAt) + latencyMs + again);
    this.#underWay.push({ bytes, due: this.#lastDue });
    this.#bytesUnderWay += bytes.length;
    this.advance();
  }

  #end(): void {
    if (this.#target.destroyed) return;
    if (this.#hasEnded) {
      if (!this.#target.writableEnded) this.#target.end();
    } else if (this.#hasClosed) this.#onReset();
  }
}
