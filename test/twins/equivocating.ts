import type { Conduct } from '../../workers/protocols/opening.ts';
import { shifted } from './shifted.ts';

/** Honest to peers of odd index, lies to the others. */
export const equivocating: Conduct = (share, context) =>
  context.to % 2 === 1 ? share : shifted(share, context);
