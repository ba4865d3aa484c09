import { once } from 'node:events';

import { bytesToHex } from 'viem';

import { answerHonestly, sign, type Answering } from '../../workers/operator/context.ts';
import type { Conduct, Opening } from '../../workers/protocols/opening.ts';
import type { RnsVector } from '../../workers/ring/basis.ts';
import { combinationShape } from '../../workers/sharing/combinations.ts';
import { commitShare } from '../../workers/sharing/commitment.ts';
import { shareLength, type OpeningShape } from '../../workers/sharing/opening.ts';
import { contributingTwins } from './contributing.ts';
import { conducts } from './index.ts';
import { shifted } from './shifted.ts';
import { silent } from './silent.ts';

/** How an operator deals with each kind of question about an opening; honest where absent. */
interface Manners {
  readonly share?: Conduct;
  /** As an opener. */
  readonly value?: Conduct;
  /** When somebody else's value is checked. */
  readonly combinations?: Conduct;
}

/** The share of the opening before. */
class Earlier {
  #latest: { readonly id: string; readonly share: RnsVector } | undefined;
  #previous: RnsVector | undefined;

  of({ id }: Opening, share: RnsVector): RnsVector | undefined {
    if (this.#latest !== undefined && this.#latest.id !== id) this.#previous = this.#latest.share;
    this.#latest = { id, share };
    return this.#previous;
  }
}

/** Answers as the conducts say, and signs what they make of a share, as a liar that wants to be believed does. */
export function answeringBy({ share, value, combinations }: Manners): Answering {
  const previous = new Earlier();
  return {
    ...answerHonestly,
    ...(share && {
      share: async (context, { seat, opening }, honest, to, signal) => {
        const residues = await by(share, honest, opening, to, signal, previous.of(opening, honest));
        const { epochId } = seat.session;
        const message = { epochId, openingId: opening.id, root: commitShare(residues) };
        const signature = await sign(context, { type: 'ShareCommitment', message });
        return { residues, shape: shapeFor(opening.shape, residues), signature };
      },
    }),
    ...(value && {
      value: async (_, { opening }, honest, to, signal) => {
        const residues = await by(value, honest, opening, to, signal);
        return { residues, shape: shapeFor(opening.shape, residues) };
      },
    }),
    ...(combinations && {
      combinations: async (_, { opening }, honest, to, signal) => {
        const shape = combinationShape(opening.shape);
        const residues = await by(combinations, honest, { ...opening, shape }, to, signal);
        return { residues, shape: shapeFor(shape, residues) };
      },
    }),
  };
}

/** Hands out another result than it has, and signs it. */
export const wrongResult: Answering = {
  ...answerHonestly,
  result: async (context, { result, statement }) => {
    const wrong = result.slice();
    wrong[wrong.length - 1] ^= 1;
    return { result: wrong, signature: await sign(context, statement(bytesToHex(wrong))) };
  },
};

/** Every twin by the name of its process. */
export const twins: Readonly<Record<string, Answering>> = {
  ...Object.fromEntries(
    Object.entries(conducts).map(([name, conduct]) => [
      name,
      answeringBy({ share: conduct, value: conduct, combinations: conduct }),
    ]),
  ),
  'lying-opener': answeringBy({ value: shifted }),
  'silent-opener': answeringBy({ value: silent }),
  'wrong-result': wrongResult,
  'lying-combination': answeringBy({ combinations: shifted }),
  ...contributingTwins,
};

/** What a conduct makes of the honest residues; waits for ever where it is silent. */
async function by(
  conduct: Conduct,
  honest: RnsVector,
  opening: Opening,
  to: number,
  signal: AbortSignal,
  previous?: RnsVector,
): Promise<RnsVector> {
  const residues = conduct(honest, { opening, to, ...(previous && { previous }) });
  if (residues !== undefined) return residues;
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

/** Residues that have not the shape go out as one long limb, with as many bits as the largest has. */
function shapeFor(shape: OpeningShape, residues: RnsVector): OpeningShape {
  if (residues.length === shareLength(shape)) return shape;
  const largest = residues.reduce((a, b) => (a > b ? a : b), 1n);
  return { primes: [largest], width: residues.length, polynomials: 1 };
}
