import type { Conduct } from '../../workers/protocols/opening.ts';

/** Leaves out the last residue. */
export const wrongLength: Conduct = (share) => share.slice(0, -1);
