import { encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';

const layout = parseAbiParameters('bytes32, uint8');

/**
 * How many operators are to submit evidence of an offence before this one: all but the accused, in an
 * order that is another for each offence. Anybody may submit; turns only save gas.
 */
export function rankIn(n: number, offenceId: Hex, accused: number, index: number): number {
  const place = (of: number): Hex => keccak256(encodeAbiParameters(layout, [offenceId, of]));
  const own = place(index);
  const others = Array.from({ length: n }, (_, at) => at + 1).filter((of) => of !== accused);
  return others.filter((of) => place(of) < own).length;
}
