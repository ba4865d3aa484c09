import { honest } from '../../workers/protocols/opening.ts';
import type { Conduct } from '../../workers/protocols/opening.ts';
import { equivocating } from './equivocating.ts';
import { garbage } from './garbage.ts';
import { replayed } from './replayed.ts';
import { shifted } from './shifted.ts';
import { silent } from './silent.ts';
import { wrongLength } from './wrong-length.ts';

/** Every way in which a twin may deal with its peers, by name. */
export const conducts: Readonly<Record<string, Conduct>> = {
  honest,
  silent,
  garbage,
  'wrong-length': wrongLength,
  shifted,
  replayed,
  equivocating,
};
