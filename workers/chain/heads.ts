import { EndpointFault, type Endpoint } from './endpoint.ts';

/** For how long an endpoint's head may stand still while another's moves. */
export const STUCK_AFTER_MS = 10_000;
/** By how much the latest block may be older than another endpoint's. */
export const OLD_AFTER_MS = 30_000;

/**
 * Compares the heads of endpoints: which of them are behind?
 *
 * Nothing here makes an endpoint late by the word of another one alone, as long as its own head moves and
 * is new by this machine's clock. So one that claims a high head does not discredit those that tell the
 * truth: what counts is not how far apart two heads are, but that the distance grows while one of them
 * stands still.
 */
export class HeadComparison {
  readonly #endpoints: readonly Endpoint[];
  /** By how much one endpoint was above another at least, since both were seen. */
  readonly #least = new Map<Endpoint, Map<Endpoint, bigint>>();
  /** Since when an endpoint has stood still while another went on. */
  readonly #overtakenAt = new Map<Endpoint, number>();

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  /** Notes the head that an endpoint has now. */
  note(endpoint: Endpoint, height: bigint, timestamp: bigint, now: number): void {
    if (endpoint.head?.height !== height) {
      endpoint.head = { height, timestamp };
      this.#overtakenAt.delete(endpoint);
    }
    for (const other of this.#endpoints) {
      if (this.#isOvertaken(endpoint, other)) this.#overtake(endpoint, now);
      if (this.#isOvertaken(other, endpoint)) this.#overtake(other, now);
    }
  }

  /** Those that are late now, and how. */
  judge(now: number, timeOfDay: number): Map<Endpoint, EndpointFault> {
    const late = new Map<Endpoint, EndpointFault>();
    const ages = this.#endpoints.flatMap(({ head, failure }) =>
      head === undefined || failure !== undefined
        ? []
        : [timeOfDay - 1_000 * Number(head.timestamp)],
    );
    const youngest = Math.min(...ages);
    for (const endpoint of this.#endpoints) {
      const { head } = endpoint;
      if (head === undefined) continue;
      const age = timeOfDay - 1_000 * Number(head.timestamp);
      const overtakenAt = this.#overtakenAt.get(endpoint);
      const isBelow = this.#endpoints.some(
        (other) => other.failure === undefined && other.head && other.head.height > head.height,
      );
      if (isBelow && overtakenAt !== undefined && now - overtakenAt > STUCK_AFTER_MS)
        late.set(endpoint, EndpointFault.STUCK);
      else if (age > OLD_AFTER_MS && age - youngest > OLD_AFTER_MS)
        late.set(endpoint, EndpointFault.OLD);
    }
    return late;
  }

  #overtake(endpoint: Endpoint, now: number): void {
    if (!this.#overtakenAt.has(endpoint)) this.#overtakenAt.set(endpoint, now);
  }

  /** Whether another one that answers is above an endpoint, and by more than it was before. */
  #isOvertaken(endpoint: Endpoint, by: Endpoint): boolean {
    if (endpoint.head === undefined || by.head === undefined || by.failure !== undefined)
      return false;
    const above = by.head.height - endpoint.head.height;
    const known = this.#least.get(endpoint) ?? new Map<Endpoint, bigint>();
    this.#least.set(endpoint, known);
    const least = known.get(by);
    if (least === undefined || above < least) known.set(by, above);
    return least !== undefined && above > 0n && above > least;
  }
}
