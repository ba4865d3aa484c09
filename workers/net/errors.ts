import { KeyloomError, type ErrorMetadata } from '../errors.ts';

/** What can go wrong between two operators. Each code has one verdict on the peer, below. */
export const NetErrorCode = {
  /** A caller inside this process passed a value of the wrong length or range. */
  argumentInvalid: 'NET_ARGUMENT_INVALID',
  /** The peer key is not a protobuf-encoded Ed25519 private key. */
  keyInvalid: 'NET_KEY_INVALID',
  /** A peer id is not the identity multihash of an Ed25519 key, or not in its canonical form. */
  peerIdInvalid: 'NET_PEER_ID_INVALID',
  /** An address is not `/ip4|ip6|dns|dns4|dns6/…/tcp/…`, or names another peer. */
  addressInvalid: 'NET_ADDRESS_INVALID',
  /** None of the addresses to listen on could be bound. */
  listenFailed: 'NET_LISTEN_FAILED',
  /** The host was stopped. */
  hostStopped: 'NET_HOST_STOPPED',
  /** The peer is not one that this host talks to. */
  peerNotAllowed: 'NET_PEER_NOT_ALLOWED',
  /** No connection to the peer could be made, or it closed before the question could be put. */
  peerUnreachable: 'NET_PEER_UNREACHABLE',
  /** The peer does not answer this protocol; it may be starting, or older. */
  protocolUnsupported: 'NET_PROTOCOL_UNSUPPORTED',
  /** The caller's signal aborted the question, or the asker withdrew it. */
  aborted: 'NET_ABORTED',
  /** The peer took longer than the limits allow. */
  timedOut: 'NET_TIMED_OUT',
  /** The stream ended or was reset before the message on it did. */
  streamEnded: 'NET_STREAM_ENDED',
  /** The peer has no answer yet. */
  notYet: 'NET_NOT_YET',
  /** The peer has too many of our questions open, or too many at all. */
  peerBusy: 'NET_PEER_BUSY',
  /** The peer failed while it made the answer. */
  peerFailed: 'NET_PEER_FAILED',
  /** The peer refused to answer; `metadata.refusal` is its reason. */
  refused: 'NET_REFUSED',
  /** The provider on this side threw; `cause` is what it threw. */
  providerFailed: 'NET_PROVIDER_FAILED',
  /** A blob is longer than the asker accepts; its name does not say how long it is. */
  blobTooLong: 'NET_BLOB_TOO_LONG',
  /** An unknown status byte, or bytes after the end of a message. */
  frameInvalid: 'NET_FRAME_INVALID',
  /** The peer put a question of another length than the protocol's. */
  questionLengthWrong: 'NET_QUESTION_LENGTH_WRONG',
  /** The peer's question has the right length and an impossible value. */
  questionMalformed: 'NET_QUESTION_MALFORMED',
  /** The peer announced an answer longer than an answer to this question can be. */
  answerTooLong: 'NET_ANSWER_TOO_LONG',
  /** The peer sent more bytes than it had announced. */
  answerOverrun: 'NET_ANSWER_OVERRUN',
  /** The answer's length is not the one that this question has. */
  answerLengthWrong: 'NET_ANSWER_LENGTH_WRONG',
  /** The answer breaks its protocol's format. */
  answerMalformed: 'NET_ANSWER_MALFORMED',
  /** The bytes of a blob do not have the digest that was asked for. */
  digestMismatch: 'NET_DIGEST_MISMATCH',
  /** The peer sent yamux frames that no honest host sends; the connection was cut. */
  connectionAbused: 'NET_CONNECTION_ABUSED',
} as const;
export type NetErrorCode = (typeof NetErrorCode)[keyof typeof NetErrorCode];

/**
 * What to do with the peer.
 *
 * - `ignore`: says nothing about it; honest peers cause this by crashing, restarting or being slow.
 * - `reject`: do without its answer to this question.
 * - `accuse`: no honest peer does this. Record it by name. The record is this operator's word, not
 *   evidence that others can check.
 */
export type Verdict = 'ignore' | 'reject' | 'accuse';

const rejected: ReadonlySet<NetErrorCode> = new Set<NetErrorCode>([
  NetErrorCode.peerIdInvalid,
  NetErrorCode.addressInvalid,
  NetErrorCode.peerNotAllowed,
  NetErrorCode.refused,
  NetErrorCode.blobTooLong,
]);

const accused: ReadonlySet<NetErrorCode> = new Set<NetErrorCode>([
  NetErrorCode.frameInvalid,
  NetErrorCode.questionLengthWrong,
  NetErrorCode.questionMalformed,
  NetErrorCode.answerTooLong,
  NetErrorCode.answerOverrun,
  NetErrorCode.answerLengthWrong,
  NetErrorCode.answerMalformed,
  NetErrorCode.digestMismatch,
  NetErrorCode.connectionAbused,
]);

/** A failure at the network edge, with the verdict on the peer that follows from it. */
export class NetError extends KeyloomError<NetErrorCode> {
  readonly verdict: Verdict;

  constructor(
    code: NetErrorCode,
    message: string,
    options: { metadata?: ErrorMetadata; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.verdict = accused.has(code) ? 'accuse' : rejected.has(code) ? 'reject' : 'ignore';
  }
}

/** True if `error` is a network error, of the given code where one is named. */
export function isNetError(error: unknown, code?: NetErrorCode): error is NetError {
  return error instanceof NetError && (code === undefined || error.code === code);
}
