import type { Rate } from './host/token-bucket.ts';

/** How much, how many and how long: everything that a peer could otherwise use up. */
export interface Limits {
  /** Questions of one peer that may be open here at once, over all protocols. */
  readonly openQuestionsPerPeer: number;
  /** Questions that may be open here at once. Covers 32 peers at their limit, so that no minority
   * of peers can use up what the others need. */
  readonly openQuestions: number;
  /**
   * Questions of one peer on one protocol. Most are about shares: an honest peer serves 32 requests of at
   * most 16 ciphertexts at once, so it has 512 openings to ask about, and asks about all of them again when
   * its connection broke. The burst is that four times over. Per second it is twice what 32 requests have,
   * which is more than an operator can serve.
   */
  readonly questionRate: Rate;
  /** Streams that a peer opens on one connection, one for each question: twice the questions. */
  readonly streamRate: Rate;
  /**
   * Frames of one connection. A question and its answer take either side about ten, with the choice of the
   * protocol and the windows that it grants; with the questions of both sides that is 20 for each of
   * `questionRate`. An answer of many bytes takes fewer than one per 64 kB.
   */
  readonly frameRate: Rate;
  /** Yamux's own pings of one connection, each of which is answered. An honest host sends one in 30 s. */
  readonly pingRate: Rate;
  /** Bytes of answers that are held whole for one peer until it has taken them. */
  readonly answerBytesPerPeer: number;
  /**
   * Connections that one peer may begin. An honest one begins one after another with waits that double from
   * `backoffMs` to `maxBackoffMs`: six in the first 5 s, and then one in 5 s.
   */
  readonly connectionRatePerPeer: Rate;
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
  questionRate: { burst: 2_048, perSecond: 1_024 },
  streamRate: { burst: 4_096, perSecond: 2_048 },
  frameRate: { burst: 20 * 2_048, perSecond: 20 * 1_024 },
  pingRate: { burst: 16, perSecond: 1 },
  answerBytesPerPeer: 64 << 20,
  connectionRatePerPeer: { burst: 16, perSecond: 1 },
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

/**
 * Questions about seeds, each of which costs the check of a signature. An honest peer asks one dealer after
 * the other, at most n=13 for a proposal, and again after waits of up to `maxBackoffMs`.
 */
export const setupRate: Rate = { burst: 64, perSecond: 4 };

/** Questions about commitments: an honest peer has one open at a time. */
export const commitmentsRate: Rate = { burst: 64, perSecond: 64 };

/** Openings that one question about commitments may name: their roots at n=13 have 41 kB. */
export const openingsPerQuestion = 32;

/** Time in which an answer of `bytes` bytes must have been transferred, in milliseconds. */
export function transferTimeoutMs(limits: Limits, bytes: number): number {
  return limits.transferTimeoutMs + Math.ceil(bytes / limits.minBytesPerMs);
}
