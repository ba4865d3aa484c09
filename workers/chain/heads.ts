import { EndpointFault, type Endpoint } from './endpoint.ts';

/** For how long an endpoint's head may stand still while another's moves. */
export const STUCK_AFTER_MS = 10_000;
/**
 * How often the other one has to have moved meanwhile. Once may be the block that the endpoint has seen
 * already: they are not asked at the same moment.
 */
const MOVES = 2;
/** By how much the latest block may be older than another endpoint's. */
export const OLD_AFTER_MS = 30_000;

/** How often another endpoint has moved since one did, and when first. */
interface Moves {
  readonly count: number;
  readonly since: number;
}

/**
 * Compares the heads of endpoints: which of them are behind?
 *
 * Nothing here makes an endpoint late by the word of another one alone, as long as its own head moves and
 * is new by this machine's clock. So one that claims a high head does not discredit those that tell the
 * truth: what counts is not how far apart two heads are, but that one moves on while the other stands still.
 */
export class HeadComparison {
  readonly #endpoints: readonly Endpoint[];
  /** By endpoint: what others did since its head last changed. */
  readonly #overtaken = new Map<Endpoint, Map<Endpoint, Moves>>();

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  /** Notes the head that an endpoint has now. */
  note(endpoint: Endpoint, height: bigint, timestamp: bigint, now: number): void {
    const before = endpoint.head?.height;
    if (before === height) return;
    endpoint.head = { height, timestamp };
    this.#overtaken.delete(endpoint);
    if (before === undefined || before > height) return;
    for (const other of this.#endpoints) {
      if (!isBelow(other, endpoint)) continue;
      const by = this.#overtaken.get(other) ?? new Map<Endpoint, Moves>();
      const { count, since } = by.get(endpoint) ?? { count: 0, since: now };
      this.#overtaken.set(other, by.set(endpoint, { count: count + 1, since }));
    }
  }

  /** Those that are late now, and how. */
  judge(now: number, timeOfDay: number): Map<Endpoint, EndpointFault> {
    const ageOf = ({ head }: Endpoint): number =>
      head === undefined ? -Infinity : timeOfDay - 1_000 * Number(head.timestamp);
    const youngest = Math.min(
      ...this.#endpoints
        .filter(({ head, failure }) => head !== undefined && failure === undefined)
        .map(ageOf),
    );
    const late = new Map<Endpoint, EndpointFault>();
    for (const endpoint of this.#endpoints) {
      const age = ageOf(endpoint);
      if (this.#isStuck(endpoint, now)) late.set(endpoint, EndpointFault.STUCK);
      else if (age > OLD_AFTER_MS && age - youngest > OLD_AFTER_MS)
        late.set(endpoint, EndpointFault.OLD);
    }
    return late;
  }

  #isStuck(endpoint: Endpoint, now: number): boolean {
    return [...(this.#overtaken.get(endpoint) ?? [])].some(
      ([other, { count, since }]) =>
        isBelow(endpoint, other) &&
        other.failure === undefined &&
        count >= MOVES &&
        now - since > STUCK_AFTER_MS,
    );
  }
}

const isBelow = (one: Endpoint, other: Endpoint): boolean =>
  one.head !== undefined && other.head !== undefined && one.head.height < other.head.height;
