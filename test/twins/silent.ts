import type { Conduct } from '../../workers/protocols/opening.ts';

/** Never answers. */
export const silent: Conduct = () => undefined;
