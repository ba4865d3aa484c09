import type { RnsVector } from '../ring/basis.ts';
import type { Part, Step } from './opening.ts';

/**
 * Takes a part from its first round to its result.
 *
 * The steps of a round are opened at the same time. Who drives decides how: with shares of its own
 * and those of its peers, or with signed shares that others have left.
 *
 * @param open the opened value of a step; once one fails, the part ends with that failure
 * @throws what `open` throws, and the part's own errors
 */
export async function drive<Result>(
  part: Part<Result>,
  open: (step: Step) => Promise<RnsVector>,
): Promise<Result> {
  let next = part.next();
  while (!next.done) next = part.next(await Promise.all(next.value.map(open)));
  return next.value;
}
