import type { Hex } from 'viem';

import { isKeyloomError } from '../../errors.ts';
import { askUntilAnswered as askForCombinations } from '../../net/combinations/index.ts';
import { isNetError } from '../../net/errors.ts';
import { transferTimeoutMs } from '../../net/limits.ts';
import { packedBytes, type Residues } from '../../net/packed.ts';
import { askUntilAnswered as askForValue } from '../../net/values/index.ts';
import type { Opening } from '../../protocols/opening.ts';
import { isCanonical, type RnsVector } from '../../ring/basis.ts';
import { combinationShape, valueDigest } from '../../sharing/combinations.ts';
import { SharingErrorCode } from '../../sharing/errors.ts';
import { openRobustly } from '../../sharing/opening.ts';
import { activePeers, type Place } from '../committee/seat.ts';
import { blame, type OperatorContext } from '../context.ts';
import { aborted, untilQuiet } from '../waiting.ts';
import { askAll } from './asking.ts';
import { collectShares } from './collect.ts';
import type { Openers } from './openers.ts';
import { combineInTurns } from './own-combinations.ts';

/** Why an opener or a combination was wrong, as recorded. */
export const OpenerFault = {
  /** The published value is not the one that the shares have. */
  WRONG_VALUE: 'WRONG_VALUE',
  /** Combinations of a share do not lie on the polynomial that 2t+1 others support. */
  WRONG_COMBINATION: 'WRONG_COMBINATION',
} as const;

/**
 * Opens a value through one operator that collects the shares and publishes it, and checks it by
 * random combinations that all operators open. A silent or lying opener is replaced by the next; the
 * last in the order is this operator itself, which needs nobody's word.
 *
 * Two thirds and more of the traffic of `collectShares` are saved, and what is believed in the end
 * is the same: 2t+1 shares. See docs/network.md, Large openings.
 *
 * @param share the own one, offered already
 * @throws the signal's reason; otherwise waits for as long as it takes
 */
export async function openThroughOpener(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  share: RnsVector,
  openers: Openers,
  signal: AbortSignal,
): Promise<RnsVector> {
  for (;;) {
    const opener = openers.opener(opening.id);
    if (opener === seat.index)
      return context.values.obtain(
        opening.id,
        (open) => collectShares(context, seat, subject, opening, open),
        signal,
      );
    const { patienceMs } = openers;
    const value = await publishedBy(context, seat, subject, opening, opener, patienceMs, signal);
    if (value === undefined) {
      openers.passOver(opener, 'silent');
      continue;
    }
    if (await isOpened(context, seat, subject, opening, share, value, signal)) {
      context.values.keep(opening.id, value);
      context.comparisons.note(context, seat.session.epochId, opening.id);
      return value;
    }
    blame(context, seat, subject, opening.id, opener, OpenerFault.WRONG_VALUE);
    openers.passOver(opener, 'lying');
  }
}

/**
 * The value that an opener publishes; undefined if it is silent for too long or will not answer.
 *
 * The question is put again after what may happen to anybody. So only bytes beyond the most that came
 * before are progress, and all attempts together have the time of one: otherwise an opener that breaks
 * off after the first byte each time, or sends one more, would be waited for for ever.
 */
async function publishedBy(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  opener: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<RnsVector | undefined> {
  const { host, log, progress } = context;
  const { epochId } = seat.session;
  const { id: openingId, shape } = opening;
  const { peerId } = seat.peers.find(({ index }) => index === opener)!;
  progress.waitFor(subject, [opener]);
  try {
    const totalMs = patienceMs + transferTimeoutMs(host.limits, packedBytes(shape));
    let most = 0;
    const answer = await untilQuiet(
      { quietMs: patienceMs, totalMs },
      signal,
      (open, onProgress) => {
        const onReceived = (bytes: number): void => {
          if (bytes > most) onProgress();
          most = Math.max(most, bytes);
        };
        const options = { signal: open, shape, onProgress: onReceived };
        return askForValue(host, peerId, { epochId, openingId }, options);
      },
    );
    if (answer !== undefined) return answer.residues;
    log.warn({ subject, openingId, opener }, 'silent opener: the next one is asked');
  } catch (error) {
    signal.throwIfAborted();
    if (!isNetError(error)) throw error;
    log.warn({ subject, openingId, opener, err: error }, 'no value from opener');
    if (error.verdict === 'accuse') blame(context, seat, subject, openingId, opener, error.code);
  }
  return undefined;
}

/**
 * Whether a published value is the one that 2t+1 shares have: its combinations must be those that the
 * operators open. Waits until 2t+1 of them agree.
 */
async function isOpened(
  context: OperatorContext,
  seat: Place,
  subject: Hex,
  opening: Opening,
  share: RnsVector,
  value: RnsVector,
  signal: AbortSignal,
): Promise<boolean> {
  const { host, progress, log } = context;
  const { epochId, committee } = seat.session;
  const { id, shape } = opening;
  const limbs = Array.from({ length: shape.polynomials }, () => shape.primes).flat();
  if (!isCanonical(limbs, shape.width, value)) return false;
  const digest = valueDigest(value);
  const [own, published] = await combineInTurns(id, digest, shape, [share, value]);
  context.combinations.keep(id, digest, own);

  const shares = new Map([[seat.index, own]]);
  const peers = activePeers(seat);
  const waiting = new Set(peers.map(({ index }) => index));
  const question = { epochId, openingId: id, valueDigest: digest };
  const answers = askAll<Residues>(
    peers,
    ({ peerId }, open) =>
      askForCombinations(host, peerId, question, { signal: open, shape: combinationShape(shape) }),
    signal,
  );
  progress.waitFor(subject, waiting);
  for await (const { peer, value: answer, error } of answers) {
    waiting.delete(peer.index);
    progress.waitFor(subject, waiting);
    if (error?.verdict === 'accuse') blame(context, seat, subject, id, peer.index, error.code);
    if (answer === undefined) continue;
    shares.set(peer.index, answer.residues);
    if (shares.size < committee.quorum) continue;
    try {
      const opened = openRobustly(committee, combinationShape(shape), shares);
      for (const index of opened.faulty)
        blame(context, seat, subject, id, index, OpenerFault.WRONG_COMBINATION);
      return Buffer.compare(bytesOf(opened.value), bytesOf(published)) === 0;
    } catch (error) {
      if (!isKeyloomError(error, SharingErrorCode.TOO_FEW_AGREEING)) throw error;
    }
  }
  progress.trouble(subject, SharingErrorCode.TOO_FEW_AGREEING);
  log.error({ subject, openingId: id }, 'fewer than 2t+1 combinations agree');
  return aborted(signal);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: RnsVector): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
