/** How much, how many and how long: everything that a peer could otherwise use up. */
export interface Limits {
  /** Questions of one peer that may be open here at once, over all protocols. */
  readonly openQuestionsPerPeer: number;
  /** Questions that may be open here at once. Covers 32 peers at their limit, so that no minority
   * of peers can use up what the others need. */
  readonly openQuestions: number;
  /** Connections to one peer. A new one closes the oldest: a peer can only crowd out itself. */
  readonly connectionsPerPeer: number;
  /** Connections in all. More than two committees of 13 can have. */
  readonly connections: number;
  /** Inbound connections whose handshake is under way. */
  readonly pendingConnections: number;
  /** Inbound connections that one IP address may start per second. Less than
   * `pendingConnections` over `handshakeTimeoutMs`, so that one address cannot fill them. */
  readonly connectionsPerSecond: number;
  /** An inbound handshake, or the choice of a protocol on a stream. */
  readonly handshakeTimeoutMs: number;
  /** A dial, with its handshake. */
  readonly dialTimeoutMs: number;
  /** From the opening of a stream to the end of the question on it. */
  readonly questionTimeoutMs: number;
  /** How long a question is held open before it is answered "not yet". */
  readonly holdMs: number;
  /** How long an asker waits for the first byte of an answer. More than `holdMs`. */
  readonly answerTimeoutMs: number;
  /** Longest silence inside an answer, for the sender as for the receiver. */
  readonly idleTimeoutMs: number;
  /** Time for a whole answer, beside the time that its length takes at `minBytesPerMs`. */
  readonly transferTimeoutMs: number;
  /** Slowest rate at which an answer may be taken or given over its whole length. */
  readonly minBytesPerMs: number;
  /** First wait before a question is put again or a peer is dialled again; doubles each time. */
  readonly backoffMs: number;
  /** Longest such wait. */
  readonly maxBackoffMs: number;
  /** Silence after which a connection is probed, and the wait between probes. */
  readonly probeIntervalMs: number;
  /** A probe unanswered for so long closes the connection. Longer than an operator may compute
   * without yielding. */
  readonly probeTimeoutMs: number;
}

export const defaultLimits: Limits = {
  openQuestionsPerPeer: 256,
  openQuestions: 32 * 256,
  connectionsPerPeer: 3,
  connections: 128,
  pendingConnections: 128,
  connectionsPerSecond: 20,
  handshakeTimeoutMs: 5_000,
  dialTimeoutMs: 10_000,
  questionTimeoutMs: 10_000,
  holdMs: 25_000,
  answerTimeoutMs: 40_000,
  idleTimeoutMs: 15_000,
  transferTimeoutMs: 30_000,
  minBytesPerMs: 128,
  backoffMs: 100,
  maxBackoffMs: 5_000,
  probeIntervalMs: 15_000,
  probeTimeoutMs: 45_000,
};

/** Openings that one question about commitments may name: their roots at n=13 have 41 kB. */
export const openingsPerQuestion = 32;

/** Time in which an answer of `bytes` bytes must have been transferred, in milliseconds. */
export function transferTimeoutMs(limits: Limits, bytes: number): number {
  return limits.transferTimeoutMs + Math.ceil(bytes / limits.minBytesPerMs);
}
