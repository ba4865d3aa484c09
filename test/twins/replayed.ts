import type { Conduct } from '../../workers/protocols/opening.ts';

/** Answers with its share of an earlier opening; honest until there is one. */
export const replayed: Conduct = (share, { previous }) => previous ?? share;
