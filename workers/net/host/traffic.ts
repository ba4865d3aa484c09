/**
 * Bytes of questions and answers that a host has exchanged with its peers since it was started, with
 * their frames and without what encryption and transport add.
 */
export interface Traffic {
  /** Handed to the transport. */
  sentBytes: number;
  receivedBytes: number;
}
