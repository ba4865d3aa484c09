import { parseProof, serializeProof } from '../../../../workers/proofs/lattice/format.ts';
import type { LatticeParameters } from '../../../../workers/proofs/lattice/parameters.ts';

/**
 * A proof with one coefficient changed, again and again: by one, to the ends of the range and beyond it.
 *
 * @param every which coefficients; the values take turns, so that an odd number brings all to all responses
 */
export function* responseMutations(
  parameters: LatticeParameters,
  proof: Uint8Array,
  every: number,
): Generator<{ kind: 'inside' | 'beyond'; bytes: Uint8Array }> {
  const { digest, responses } = parseProof(parameters, proof);
  const bound = 2 ** parameters.maskBits;
  const [least, most] = [1 - bound, bound - 2];
  for (let at = 0; at < responses.length; at += every) {
    const value = responses[at];
    const values = [Math.min(value + 1, most), Math.max(value - 1, least), least, most];
    const changed = responses.slice();
    changed[at] = values[(at / every) % 4];
    if (changed[at] !== value) {
      yield { kind: 'inside', bytes: serializeProof(parameters, { digest, responses: changed }) };
    }
    changed[at] = (at / every) % 2 === 0 ? -bound : bound - 1;
    yield { kind: 'beyond', bytes: serializeProof(parameters, { digest, responses: changed }) };
  }
}
